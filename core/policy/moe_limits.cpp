#include "policy/moe_limits.h"

#include <set>

#include <fmt/format.h>

namespace ladimo {

std::optional<std::string> objection(const MoeLimits& limits, const ModelPolicy& policy) {
  std::set<int> ks;
  bool experts_before = false;
  for (std::size_t l = 0; l < policy.size(); ++l) {
    if (policy[l].cuts_inputs()) return fmt::format("cannot skip inputs or neurons, as layer {} does", l);
    if (policy[l].kind == LayerPolicy::Kind::threshold)
      return fmt::format("has no thresholds, but layer {} has one", l);
    const bool dense = policy[l].kind == LayerPolicy::Kind::dense;
    if (dense && limits.dense == DenseLayers::none) return fmt::format("cannot leave layer {} dense", l);
    if (dense && limits.dense == DenseLayers::leading && experts_before)
      return fmt::format("can only leave the first layers dense, not layer {}", l);
    experts_before = experts_before || !dense;
    if (!dense) ks.insert(policy[l].k);
  }
  if (ks.empty()) return "is for models with experts, but every layer is dense";
  if (*ks.rbegin() == 0) return "needs at least one routed expert";
  if (limits.most_k && *ks.rbegin() > *limits.most_k)
    return fmt::format("runs at most {} routed experts per token in a model of {} layers, not {}",
                       *limits.most_k, policy.size(), *ks.rbegin());
  if (ks.size() > 1 && !limits.k_by_layer)
    return fmt::format("runs the same number of experts in every layer, but here it is {} to {}", *ks.begin(),
                       *ks.rbegin());
  return std::nullopt;
}

}  // namespace ladimo
