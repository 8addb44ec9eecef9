// timing.json: how long each step and layer took. Kept apart from the results, which have the same bytes
// every time.
#pragma once

#include <chrono>
#include <string>

#include "run/run_folder.h"

namespace ladimo {

class TimingLog {
 public:
  explicit TimingLog(const RunFolder& run) : run_(run) {}
  /// Adds to the seconds of `key` in `group` ("steps", "layers") and writes the file.
  void add(const std::string& group, const std::string& key, double seconds) const;
  /// Of all steps, whenever they were done.
  double total() const;

 private:
  const RunFolder& run_;
};

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace ladimo
