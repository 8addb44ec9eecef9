// The converted layers of a model, wherever they are stored.
#pragma once

#include <functional>
#include <memory>

#include "model/moe_layer.h"

namespace ladimo {

/// Gives access to converted layers one at a time. Both functions require that the layer is converted and
/// throw Refusal where it is damaged.
struct MoeLayers {
  /// Returns the weights, on the device and in the dtype of the computation.
  std::function<std::shared_ptr<const MoeWeights>(int layer)> load;
  /// Returns what a layer costs, without reading its weights.
  std::function<MoeShape(int layer)> shape;

  /// Whether the model has converted layers.
  explicit operator bool() const { return static_cast<bool>(load); }
};

/// The FFNs of a model under a policy, null where a layer stays dense.
std::vector<std::shared_ptr<const FeedForward>> policy_ffns(const MoeLayers& moe, const ModelPolicy& policy);

}  // namespace ladimo
