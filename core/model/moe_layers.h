// The converted layers of a model, wherever they lie.
#pragma once

#include <functional>
#include <memory>

#include "model/moe_layer.h"

namespace ladimo {

/// Asked layer by layer. Precondition of both: the layer is converted. They throw Refusal where it is
/// damaged.
struct MoeLayers {
  /// The weights, on the device and in the dtype that is computed with.
  std::function<std::shared_ptr<const MoeWeights>(int layer)> load;
  /// What a layer costs. Reads no weights.
  std::function<MoeShape(int layer)> shape;

  /// Whether there are any.
  explicit operator bool() const { return static_cast<bool>(load); }
};

/// The FFNs that a policy puts into a model: null where a layer stays dense.
std::vector<std::shared_ptr<const FeedForward>> policy_ffns(const MoeLayers& moe, const ModelPolicy& policy);

}  // namespace ladimo
