// The policies of a MoE class that are worth having: for every cost the one of least KL.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/frontier.h"
#include "policy/moe_limits.h"
#include "policy/moe_shape.h"
#include "policy/policy_file.h"
#include "policy/tradeoff_table.h"

namespace ladimo {

/// The least and the greatest k of the layers with experts; zeros where there are none.
struct KRange {
  std::int64_t least = 0, most = 0;
};
KRange ks_of(const ModelPolicy& policy);
/// What runs under a policy of top-k: "k = 12, 7 layers dense".
std::string k_in_words(const ModelPolicy& policy);

/// All policies that are cheaper than those of lower KL, by rising cost. They have one k in all layers with
/// experts; which layers are dense follows from the limits and the KL of single layers.
class ClassPolicies {
 public:
  /// `shape` says what a layer with experts costs in the class (shape_in, policy/moe_class.h). Layers that
  /// were not converted are dense. Throws Refusal where the limits do not allow that, and where no layer has
  /// experts.
  ClassPolicies(const TradeoffTable& table, const MoeLimits& limits, const MoeShape& shape);

  /// The policy of least predicted KL whose activated_fraction is at most `activated`; the cheapest where
  /// none is so cheap.
  const Policy& at_activated(double activated) const;
  /// The one between dense (0) and the cheapest (1).
  const Policy& at_tradeoff(double tradeoff) const;
  /// The cheapest whose predicted KL is at most `kl`; nothing where there is none.
  std::optional<Policy> at_max_kl(double kl) const;
  const std::vector<Policy>& all() const { return policies_; }

 private:
  std::vector<Policy> policies_;
};

/// The policy that a request asks for. Throws Refusal for a request that cannot be met, and for a budget of
/// time, pins or grains, which a class does not have.
Policy solve(const ClassPolicies& policies, const PolicyRequest& request);

}  // namespace ladimo
