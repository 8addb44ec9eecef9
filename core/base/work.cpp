#include "base/work.h"

#include <atomic>

namespace ladimo {
namespace {

std::atomic<double>& counted() {
  static std::atomic<double> flops = 0;
  return flops;
}

}  // namespace

void count_flops(double flops) { counted().fetch_add(flops, std::memory_order_relaxed); }

WorkMeter::WorkMeter() : start_(std::chrono::steady_clock::now()), flops_(counted()) {}

double WorkMeter::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

Work WorkMeter::work() const { return {seconds(), counted() - flops_}; }

}  // namespace ladimo
