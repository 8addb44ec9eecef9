// Which policies a MoE model class can have: top-k, with one k for all layers or one for each, and dense
// layers where the class allows them.
#pragma once

#include <optional>
#include <string>

#include "policy/layer_policy.h"

namespace ladimo {

/// Which layers may stay dense.
enum class DenseLayers { none, leading, any };

struct MoeLimits {
  DenseLayers dense = DenseLayers::none;
  bool k_by_layer = false;         // layers may have different ks
  std::optional<int> most_k = {};  // routed experts of a token, where that has a bound
};

/// Why a class with these limits cannot have the policy, as a sentence that begins after "It": "cannot leave
/// layer 3 dense". Nothing where it can.
std::optional<std::string> objection(const MoeLimits& limits, const ModelPolicy& policy);

}  // namespace ladimo
