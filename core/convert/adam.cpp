#include "convert/adam.h"

#include <ATen/Parallel.h>

#include "kernels/kernel_table.h"

namespace ladimo {
namespace {

constexpr std::int64_t elements_per_thread = 1 << 14;

}  // namespace

void Adam::step(const at::Tensor& given, double rate) {
  ++steps_;
  const double correction = std::sqrt(1 - std::pow(beta2, steps_)) / (1 - std::pow(beta1, steps_));
  rate *= scale_ * correction;
  if (parameter_.is_cpu() && parameter_.is_contiguous()) {
    // One pass over memory instead of six.
    const auto gradient = given.contiguous();
    const AdamStep step{static_cast<float>(beta1), static_cast<float>(beta2), static_cast<float>(rate)};
    const auto* g = gradient.data_ptr<float>();
    auto *first = first_.data_ptr<float>(), *second = second_.data_ptr<float>(),
         *weight = parameter_.data_ptr<float>();
    const auto adam = kernels().adam;
    at::parallel_for(0, parameter_.numel(), elements_per_thread, [=](std::int64_t begin, std::int64_t end) {
      adam(g + begin, step, end - begin, first + begin, second + begin, weight + begin);
    });
    return;
  }
  first_.mul_(beta1).add_(given, 1 - beta1);
  second_.mul_(beta2).addcmul_(given, given, 1 - beta2);
  parameter_.addcdiv_(first_, second_.sqrt().add_(1e-12), -rate);
}

}  // namespace ladimo
