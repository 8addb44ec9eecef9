// How long something took and how much arithmetic it was.
#pragma once

#include <chrono>

namespace ladimo {

struct Work {
  double seconds = 0;
  double flops = 0;  // floating-point operations of matrix products; a multiply-add counts as two

  double flops_per_second() const { return seconds > 0 ? flops / seconds : 0; }
  Work& operator+=(const Work& more) {
    seconds += more.seconds;
    flops += more.flops;
    return *this;
  }
};

/// Adds to the operations that this process has done. Thread-safe. Products of libtorch are counted by
/// commands/product_counter.h.
void count_flops(double flops);

/// Measures what the process does from here on.
class WorkMeter {
 public:
  WorkMeter();
  double seconds() const;
  Work work() const;

 private:
  std::chrono::steady_clock::time_point start_;
  double flops_;
};

}  // namespace ladimo
