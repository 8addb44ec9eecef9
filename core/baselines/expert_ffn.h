// A mixture whose experts are chosen in any way. All opponents that split an FFN use it.
#pragma once

#include <functional>

#include "model/moe_layer.h"

namespace ladimo {

/// How an opponent chooses its experts, and what the choice costs.
struct ExpertChoice {
  /// Maps x [T, d] and the h [T, f] of every neuron to [T, E]: 0 where an expert is skipped, else the weight
  /// of its output (1 in a plain sum).
  std::function<at::Tensor(const at::Tensor& x, const at::Tensor& h)> weights;
  double router_parameters = 0;   // used for every token
  double skipped_parameters = 0;  // used for every expert that is skipped
};

/// The cost of these experts when they are chosen like this.
MoeShape shape_of(const MoeWeights& weights, const ExpertChoice& choice);

class ExpertFfn : public FeedForward {
 public:
  /// Ignores the router in `weights`.
  ExpertFfn(std::shared_ptr<const MoeWeights> weights, ExpertChoice choice);
  using FeedForward::forward;
  FfnOutput forward(const at::Tensor& x, const at::Tensor& first) const override;
  MoeShape shape() const override { return shape_of(*weights_, choice_); }

 private:
  std::shared_ptr<const MoeWeights> weights_;
  ExpertChoice choice_;
};

}  // namespace ladimo
