// Converted layers as a MoE class computes them (policy/moe_class.h).
#pragma once

#include <optional>
#include <string>

#include "checkpoint/safetensors.h"
#include "model/moe_layer.h"
#include "model/standard_moe.h"
#include "policy/class_policies.h"
#include "policy/moe_class.h"

namespace ladimo {

/// Why the class has no place for a converted layer as it is in its file. A fit (transfer/moe_fit.h) makes
/// one that has.
std::optional<std::string> objection(const MoeClass& target, const TensorStore& layer);

/// A layer as the class computes it, with every expert's down projection scaled so that the experts are
/// simply added up. `k` routed experts run. Matrices are rounded to `storage`. Parts that the class cannot
/// say are left out. Precondition: the router is linear; there are no shared neurons, or the class has shared
/// experts.
StandardMoe standard_layer(const MoeClass& target, const MoeWeights& weights, std::int64_t k,
                           at::ScalarType storage);
/// The weights whose standard_layer() a layer is, but for rounding and the small differences of its mixing
/// weights. Precondition: the layer has no null experts.
MoeWeights weights_of(const MoeClass& target, const StandardMoe& layer);
/// The factor by which down projections are multiplied, the inverse of the mixing weights of E experts of
/// which k run.
double down_factor(const MoeClass& target, std::int64_t experts, std::int64_t k);

/// How many null experts the layers of a policy need. A router that groups experts needs two at least, where
/// its class has a bias that keeps the second one from being chosen.
std::int64_t null_experts(const MoeClass& target, std::int64_t experts, const KRange& ks);
/// Adds `nulls` experts that give zero. So many of them are always chosen that `k` experts run.
StandardMoe with_null_experts(StandardMoe layer, std::int64_t nulls, std::int64_t k);
/// Adds those that a layer needs beside the others of a policy. `policy_k` is the k that the policy gives it.
StandardMoe with_null_experts(const MoeClass& target, StandardMoe layer, const KRange& ks,
                              std::int64_t policy_k);

}  // namespace ladimo
