// The converted FFN: permuted neurons in slices, a router and compensation vectors (docs/method.md "Stage 1,
// one layer").
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "model/feed_forward.h"
#include "policy/layer_policy.h"

namespace ladimo {

class Checkpoint;

/// Weights of one converted layer. The neurons are permuted: first the shared ones, then the routed experts
/// one after another, so every expert is a contiguous slice of rows. With S shared neurons and E routed
/// experts of m neurons, f = S + E m.
struct MoeWeights {
  at::Tensor gate;          // [f, d]
  at::Tensor up;            // [f, d]
  at::Tensor down;          // [f, d]: the transposed down projection, row j belongs to neuron j
  at::Tensor router;        // [E, d], or [E, r] after a hidden layer; fp32 whatever the dtype of the rest
  at::Tensor router_bias;   // [E] fp32
  at::Tensor compensation;  // [E, d], added for every expert that is skipped; undefined: none
  at::Tensor permutation;   // [f] int64: row j holds neuron permutation[j] of the original FFN
  at::Tensor gate_bias, up_bias;  // [f], undefined without mlp_bias
  at::Tensor down_bias;           // [d], undefined without mlp_bias and where `compensation` is defined
  at::Tensor router_hidden;  // [r, d] fp32, the hidden layer of a small router; undefined: a linear router
  at::Tensor router_hidden_bias;  // [r] fp32
  // The finish may train the weights to move along the slider. Under a policy gate becomes gate + c
  // gate_shift, and up and down likewise, with c = 1 - 2 (share of the routed experts that run): 1 where none
  // runs, -1 where all run.
  at::Tensor gate_shift, up_shift, down_shift;  // [f, d], undefined: the weights do not move
  at::Tensor activity;  // [K, 2] fp32 on the CPU: a threshold, the share that ran there when shifts were set
  std::int64_t shared_neurons = 0;  // S

  std::int64_t neurons() const { return gate.size(0); }
  std::int64_t hidden_size() const { return gate.size(1); }
  std::int64_t routed() const { return router.size(0); }
  std::int64_t expert_neurons() const { return (neurons() - shared_neurons) / routed(); }

  bool moves() const { return gate_shift.defined(); }
  /// c of a sparse policy. For a threshold it is interpolated in `activity`, for top-k it follows from k.
  /// Precondition: moves().
  double shift_of(const LayerPolicy& policy) const;
  /// The weights under a sparse policy, with the shifts already added. Differentiable.
  MoeWeights at(const LayerPolicy& policy) const;

  /// Routing weights [T, E]: the predicted contribution of every routed expert, in units of the layer's mean
  /// FFN output norm. The router is linear, or router silu(router_hidden x). x [T, d].
  at::Tensor route(const at::Tensor& x) const;
  /// h of every neuron [T, f]. x [T, d].
  at::Tensor hidden(const at::Tensor& x) const;
  /// The activations of the routed experts, expert by expert: [T, f] -> view [T, E, m].
  at::Tensor routed_part(const at::Tensor& h) const;
  /// MoE(x) [T, d] from the hidden activations h [T, f] of every neuron and a selection [T, E] (bool, or 0
  /// and 1). The neurons of skipped experts are masked.
  at::Tensor combine(const at::Tensor& h, const at::Tensor& selected) const;
  /// The sizes that decide what the layer costs.
  MoeShape shape() const;

  /// Moves and converts the weights. The router stays fp32 and the permutation int64.
  MoeWeights to(at::Device device, at::ScalarType dtype) const;
  /// The weights as a file in `storage` would return them: rounded, but in their present dtype.
  MoeWeights rounded(at::ScalarType storage) const;
};

/// Which routed experts run: routing weights [T, E] -> bool [T, E]. Of equal weights top_k takes the lower
/// index. Precondition: a sparse policy.
at::Tensor select_experts(const at::Tensor& routing_weights, const LayerPolicy& policy);

/// FfnOutput::experts for a selection: bool [T, E] -> [T] float.
at::Tensor experts_per_token(const at::Tensor& selected);

/// MoE(x) = down[S] h_S + sum over selected E_i(x) + sum over skipped b_i. This is a plain sum without mixing
/// weights.
class MoeLayer : public FeedForward {
 public:
  MoeLayer(std::shared_ptr<const MoeWeights> weights, LayerPolicy policy);
  /// Computes every neuron and masks those of skipped experts. Decoding reads only what runs
  /// (decode/decoding_engine.h).
  using FeedForward::forward;
  FfnOutput forward(const at::Tensor& x, const at::Tensor& first) const override;
  MoeShape shape() const override { return weights_->shape(); }
  /// The routed experts that run: x [T, d] -> bool [T, E].
  at::Tensor select(const at::Tensor& x) const { return select_experts(weights_->route(x), policy_); }

  const MoeWeights& weights() const { return *weights_; }
  const std::shared_ptr<const MoeWeights>& shared_weights() const { return weights_; }
  const LayerPolicy& policy() const { return policy_; }

 private:
  at::Tensor used_running(const at::Tensor& h, const at::Tensor& selected) const;

  std::shared_ptr<const MoeWeights> weights_;
  LayerPolicy policy_;
  at::Tensor norm_;  // [f] fp32 of what each neuron adds; undefined where the policy leaves none out
};

/// Writes layers/000.safetensors atomically: the tensors of model/moe_fields.h, with `shared_neurons` as
/// metadata. The weights are stored in `dtype`, the router in fp32.
void save_moe_weights(const std::filesystem::path& path, const MoeWeights& weights, at::ScalarType dtype);
/// Reads such a file. Throws Refusal when it is broken or its shapes do not fit together.
MoeWeights load_moe_weights(const std::filesystem::path& path, at::Device device, at::ScalarType dtype);
/// Reads one converted layer of a native model folder. Throws Refusal like the overload above. Precondition:
/// the folder holds this layer's converted weights.
MoeWeights load_moe_weights(const Checkpoint& native, std::int64_t layer, at::Device device,
                            at::ScalarType dtype);

}  // namespace ladimo
