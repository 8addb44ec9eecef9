// The optimiser of the distillation and of the finish.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include <ATen/ATen.h>

namespace ladimo {

/// Adam (Kingma and Ba 2015) on one tensor, which is changed in place. A step is relative to the root mean
/// square of the initial weights, or to `size` where that is given.
class Adam {
 public:
  explicit Adam(const at::Tensor& parameter)
      : Adam(parameter, parameter.square().mean().sqrt().item<double>()) {}
  Adam(at::Tensor parameter, double size)
      : parameter_(std::move(parameter)),
        scale_(std::max(size, 1e-8)),
        first_(at::zeros_like(parameter_)),
        second_(at::zeros_like(parameter_)) {}

  /// Returns the sum of gradient times change, one fp64 number on the parameter's device: what the step adds
  /// to the loss, to first order.
  at::Tensor step(const at::Tensor& gradient, double rate);

 private:
  static constexpr double beta1 = 0.9, beta2 = 0.99;
  at::Tensor parameter_;
  double scale_;
  at::Tensor first_, second_;
  int steps_ = 0;
};

/// The factor on the learning rate at `progress` in 0 ... 1: a warm-up over the first twentieth, then a half
/// cosine down to a hundredth.
inline double scheduled(double progress) {
  if (progress < 0.05) return progress / 0.05;
  return 0.01 + 0.99 * 0.5 * (1 + std::cos(std::numbers::pi * (progress - 0.05) / 0.95));
}

}  // namespace ladimo
