// What every long operation is given: where to report, whether to stop, and how much memory its data may
// take.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/events.h"
#include "base/memory_budget.h"

// Qt defines `emit` as an empty macro, which would break the member of that name. The window includes this
// header too.
#pragma push_macro("emit")
#undef emit

namespace ladimo {

/// Carries the event sink, the cancel flag and the memory budget through the engine. Cheap to copy.
class Context {
 public:
  using Sink = std::function<void(const Event&)>;

  Context() = default;
  explicit Context(Sink sink, const std::atomic<bool>* cancel = nullptr);

  void emit(const Event& event) const;
  void warn(std::string message, std::string hint = {}) const;
  void warn(const std::vector<Problem>& warnings) const;
  bool canceled() const;
  /// Throws Interrupted when the work was asked to stop. Call it at least every 100 ms of work.
  void check() const;
  /// Returns a context for one of several passes of a step. The pass counts its own work from 0 to its total.
  /// This context reports that progress (events with layer -1) as a range from `begin` to `end` of the step,
  /// both in 0 ... 1. The time left is that to the end of the step, at the pace of the pass.
  Context part(double begin, double end) const;
  /// Returns a copy of this context with another memory budget.
  Context within(MemoryBudget memory) const;
  MemoryBudget memory() const { return memory_; }

 private:
  Sink sink_;
  const std::atomic<bool>* cancel_ = nullptr;
  MemoryBudget memory_;  // without a limit by default
};

/// Progress of one step: counts, estimates the time left, reports at most ten times a second, and stops the
/// work when asked to.
class Progress {
 public:
  /// Counts up to `total`. `layer` is -1 for progress that is not about a single layer, and `what` names the
  /// part of the layer's work (ProgressEvent).
  Progress(const Context& context, std::int64_t total, int layer = -1, std::string what = {});
  /// Adds `n` units and reports. Throws Interrupted.
  void advance(std::int64_t n = 1);

 private:
  const Context& context_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  int layer_;
  std::string what_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point reported_;
};

}  // namespace ladimo

#pragma pop_macro("emit")
