// The MoE layer as the model classes of transformers and llama.cpp compute it: a linear router, top-k, and
// experts that are added up with mixing weights.
#pragma once

#include <cstdint>

#include "model/feed_forward.h"
#include "policy/moe_class.h"

namespace ladimo {

/// How router logits become the mixing weights of the experts that run.
struct Gating {
  MixingScores scores = MixingScores::softmax;
  bool normalised = false;  // the weights of the chosen experts are divided by their sum
  double scale = 1;         // times every weight
  std::int64_t k = 0;       // experts that run for every token

  bool operator==(const Gating&) const = default;
};

/// y = shared(x) + sum over the k chosen experts of w_i E_i(x), all of them SwiGLU without biases. With E
/// experts of m neurons and S shared neurons.
class StandardMoe : public FeedForward {
 public:
  Gating gating;
  at::Tensor router;                  // [E, d] fp32
  at::Tensor selection_bias;          // [E] fp32, added to the scores for the choice alone; undefined: none
  at::Tensor gate, up;                // [E, m, d]
  at::Tensor down;                    // [E, d, m]
  at::Tensor shared_gate, shared_up;  // [S, d], undefined: nothing is shared
  at::Tensor shared_down;             // [d, S]
  at::Tensor shared_router;  // [1, d] fp32: sigmoid of it multiplies what is shared; undefined: nothing does

  std::int64_t experts() const { return router.size(0); }
  std::int64_t expert_neurons() const { return gate.size(1); }

  /// The mixing weights [T, E] fp32, zero where an expert does not run. x [T, d].
  at::Tensor mixing(const at::Tensor& x) const;
  /// What multiplies the shared part: [T, 1] fp32, undefined where nothing does.
  at::Tensor shared_scale(const at::Tensor& x) const;
  /// The neurons of all experts [T, E, m], and those that are shared [T, S].
  at::Tensor routed_hidden(const at::Tensor& x) const;
  at::Tensor shared_hidden(const at::Tensor& x) const;

  using FeedForward::forward;
  /// Computes every expert and masks those that do not run.
  FfnOutput forward(const at::Tensor& x, const at::Tensor& first) const override;
  MoeShape shape() const override;
};

}  // namespace ladimo
