// Next-token distributions of two models, compared row by row in one pass over their logits.
#pragma once

#include <cstdint>
#include <utility>

#include <ATen/core/Tensor.h>

namespace ladimo {

/// A model's predictions compared with the dense model's: one number per row [n].
struct RowScores {
  at::Tensor kl;    // float, KL(dense || model) in nats, >= 0
  at::Tensor nll;   // float, -ln of the target's probability, nats
  at::Tensor same;  // uint8, 1 where the dense model's most likely token is (among) the most likely here too
};

/// The dense model's next-token distributions for a few tokens.
class Distributions {
 public:
  /// Takes the dense model's logits [n, V].
  explicit Distributions(const at::Tensor& logits);

  /// -ln p(target) [n] in nats. targets [n] int64.
  at::Tensor nll(const at::Tensor& targets) const;
  /// Compares another model with logits [n, V] for the same tokens. targets [n] int64.
  RowScores compare(const at::Tensor& logits, const at::Tensor& targets) const;
  /// Returns the sum of KL(dense || model) over the rows, and `scale` times its gradient softmax(logits) - p
  /// with respect to the model's logits [n, V].
  std::pair<double, at::Tensor> kl_gradient(const at::Tensor& logits, double scale) const;

 private:
  at::Tensor logits_;          // [n, V] float
  at::Tensor probabilities_;   // [n, V] float
  at::Tensor log_normaliser_;  // [n] double (float off the CPU): ln of the sum of exp(logits)
  at::Tensor top_;             // [n] int64, the first of equal ones
};

}  // namespace ladimo
