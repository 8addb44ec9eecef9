// What leaving out single inputs of a layer's products saves and costs.
#pragma once

#include <string_view>
#include <vector>

#include "policy/layer_policy.h"

namespace ladimo {

/// The grains at which a policy may choose what runs; dense is always possible.
struct Grains {
  bool experts = true;
  bool neurons = true;  // rows of down
  bool inputs = true;   // columns of gate and up, of q, k and v, and of o

  bool allow(Product product) const { return product == Product::down ? neurons : inputs; }
  bool operator==(const Grains&) const = default;
};
/// Parses "all", or some of "experts", "neurons" and "inputs" with commas between them. Throws Refusal for
/// any other text.
Grains parse_grains(std::string_view text);

/// Parameters of one layer's products, without biases.
struct ProductSizes {
  double hidden_size = 0;
  double qkv = 0, o = 0;      // parameters
  double neurons = 0;         // of the dense FFN; 3 hidden_size parameters each
  double shared_neurons = 0;  // of a converted layer
  double expert_neurons = 0;  // of each of its routed experts

  /// Neurons that run per token under a policy whose mean_experts is known.
  double running(const LayerPolicy& policy) const;
  /// Parameters that a token leaves out with single inputs, by the shares in `policy`: of the attention, and
  /// of what runs of the FFN.
  double left_out_of_attention(const LayerPolicy& policy) const;
  double left_out_of_ffn(const LayerPolicy& policy) const;
};

/// A measured threshold of one product.
struct CutRung {
  double threshold = 0;
  double share = 1;  // of the product's inputs that run per token; of `down` in a dense layer
  double kl = 0;     // KL(dense || only this product of this layer with the threshold), nats per token
};

/// The cut at any threshold: share and KL are interpolated over the logarithm of the threshold, and beyond
/// the last rung they stay as they are there. `rungs` rise from threshold 0.
CutRung at_threshold(const std::vector<CutRung>& rungs, double threshold);

}  // namespace ladimo
