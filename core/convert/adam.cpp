#include "convert/adam.h"

#include <numeric>
#include <vector>

#include <ATen/Parallel.h>

#include "kernels/kernel_table.h"

namespace ladimo {
namespace {

constexpr std::int64_t elements_per_piece = 1 << 14;

}  // namespace

at::Tensor Adam::step(const at::Tensor& given, double rate) {
  ++steps_;
  const double correction = std::sqrt(1 - std::pow(beta2, steps_)) / (1 - std::pow(beta1, steps_));
  rate *= scale_ * correction;
  if (!parameter_.is_cpu() || !parameter_.is_contiguous()) {
    first_.mul_(beta1).add_(given, 1 - beta1);
    second_.mul_(beta2).addcmul_(given, given, 1 - beta2);
    const auto change = (first_ / second_.sqrt().add_(1e-12)).mul_(-rate);
    parameter_.add_(change);
    return (change * given).sum(at::kDouble);
  }
  // One pass over memory instead of six.
  const auto gradient = given.contiguous();
  const AdamStep step{static_cast<float>(beta1), static_cast<float>(beta2), static_cast<float>(rate)};
  const auto* g = gradient.data_ptr<float>();
  auto *first = first_.data_ptr<float>(), *second = second_.data_ptr<float>(),
       *weight = parameter_.data_ptr<float>();
  const auto adam = kernels().adam;
  const auto n = parameter_.numel(), pieces = (n + elements_per_piece - 1) / elements_per_piece;
  std::vector<double> added(static_cast<std::size_t>(pieces));
  at::parallel_for(0, pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto p = begin; p < end; ++p) {
      const auto i = p * elements_per_piece;
      added[static_cast<std::size_t>(p)] =
          adam(g + i, step, std::min(elements_per_piece, n - i), first + i, second + i, weight + i);
    }
  });
  return at::scalar_tensor(std::accumulate(added.begin(), added.end(), 0.0), at::kDouble);
}

}  // namespace ladimo
