#include "base/context.h"

#include <cmath>
#include <utility>

namespace ladimo {

using Clock = std::chrono::steady_clock;

Context::Context(Sink sink, const std::atomic<bool>* cancel) : sink_(std::move(sink)), cancel_(cancel) {}

void Context::emit(const Event& event) const {
  if (sink_) sink_(event);
}

void Context::warn(std::string message, std::string hint) const {
  emit(WarningEvent{std::move(message), std::move(hint)});
}

void Context::warn(const std::vector<Problem>& warnings) const {
  for (const Problem& warning : warnings) warn(warning.message, warning.hint);
}

bool Context::canceled() const { return cancel_ != nullptr && cancel_->load(std::memory_order_relaxed); }

void Context::check() const {
  if (canceled()) throw Interrupted();
}

Context Context::part(double begin, double end) const {
  constexpr std::int64_t steps = 1000;
  const auto tell = [whole = *this, begin, end, start = Clock::now()](const Event& event) {
    const auto* progress = std::get_if<ProgressEvent>(&event);
    if (progress == nullptr || progress->layer >= 0 || progress->total <= 0) return whole.emit(event);
    const double covered =
        (end - begin) * static_cast<double>(progress->done) / static_cast<double>(progress->total);
    const double spent_s = std::chrono::duration<double>(Clock::now() - start).count();
    ProgressEvent told = *progress;
    told.done = std::llround(static_cast<double>(steps) * (begin + covered));
    told.total = steps;
    told.eta_s = covered > 0 ? spent_s * (1 - begin - covered) / covered : -1;
    whole.emit(told);
  };
  return Context(tell, cancel_).within(memory_);
}

Context Context::within(MemoryBudget memory) const {
  Context context = *this;
  context.memory_ = std::move(memory);
  return context;
}

Progress::Progress(const Context& context, std::int64_t total, int layer, std::string what)
    : context_(context),
      total_(total),
      layer_(layer),
      what_(std::move(what)),
      start_(Clock::now()),
      reported_(Clock::time_point{}) {}

void Progress::advance(std::int64_t n) {
  context_.check();
  done_ += n;
  const auto now = Clock::now();
  const bool finished = done_ >= total_;
  if (!finished && now - reported_ < std::chrono::milliseconds(100)) return;
  reported_ = now;
  const double spent_s = std::chrono::duration<double>(now - start_).count();
  const double left = static_cast<double>(total_ - done_);
  const double eta_s = finished ? 0 : done_ > 0 ? spent_s * left / static_cast<double>(done_) : -1;
  context_.emit(ProgressEvent{layer_, done_, total_, eta_s, what_});
}

}  // namespace ladimo
