// Stage 2's decision: minimise the sum of single-layer KLs within a budget (multiple-choice knapsack, solved
// exactly by dynamic programming on a grid of 1/2048 of the FFNs' dense cost; docs/method.md "Stage 2").
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "policy/policy_file.h"
#include "policy/tradeoff_table.h"

namespace ladimo {

/// Which sparse policies a frontier may use; dense is always among them.
enum class Kinds { mixed, threshold, top_k };
/// "mixed", "threshold", "top_k". Throws Refusal.
Kinds parse_kinds(std::string_view text);

/// At most one of the budgets is set; none means tradeoff 0.5. A speedup always counts decode_ms.
struct PolicyRequest {
  Cost cost = Cost::activated;
  std::optional<double> tradeoff = {};       // 0 ... 1: budget = (1 - T) cost(dense) + T cost(cheapest)
  std::optional<double> activated = {};      // at most this activated_fraction
  std::optional<double> ffn_activated = {};  // at most this share of the FFNs' parameters
  std::optional<double> max_kl = {};         // the cheapest policy whose predicted KL is at most this
  std::optional<double> speedup = {};        // at least this much faster in decode_ms than dense
  std::vector<Pin> pins = {};
  Kinds kinds = Kinds::mixed;  // pins may be of any kind
};

/// Numbers that follow from the tables for any choice of layer policies: candidates by lookup, thresholds and
/// ks between them by monotone interpolation over activity; joint KL, perplexity and activity by the
/// correction fitted to the measured joint points. Throws Refusal when a layer cannot have its policy.
PolicyNumbers predict(const TradeoffTable& table, const LatencyTable* latency,
                      const std::vector<LayerPolicy>& layers);

/// All optimal policies for one cost and one set of pins.
class Frontier {
 public:
  /// Runs the dynamic program (milliseconds for 128 layers x 32 candidates). Throws Refusal when a pin names
  /// a layer that does not exist or a policy that a layer cannot have, or when cost is decode_ms and there is
  /// no latency table.
  Frontier(const TradeoffTable& table, const LatencyTable* latency, Cost cost,
           const std::vector<Pin>& pins = {}, Kinds kinds = Kinds::mixed);

  /// The policy of least KL whose cost is at most `budget` (in the unit of the cost, whole model). A budget
  /// below the cheapest gives the cheapest.
  Policy at_budget(double budget) const;
  /// The budget is (1 - tradeoff) dense_cost() + tradeoff cheapest_cost().
  Policy at_tradeoff(double tradeoff) const;
  /// The cheapest policy whose predicted (corrected) KL is at most `kl`.
  Policy at_max_kl(double kl) const;

  /// Costs of the whole model; activated parameters are predicted with the joint correction in them.
  double dense_cost() const;     // with every layer dense
  double accurate_cost() const;  // of the most accurate policy that the pins allow
  double cheapest_cost() const;
  /// Whether some policy is cheaper than dense (with decode_ms: whether anything was measured to be faster).
  bool beats_dense() const;

  struct Point {
    double cost = 0;
    double kl = 0;  // predicted, corrected
    double tradeoff = 0;
  };
  /// The distinct optimal solutions by rising cost, at most `count` of them, evenly spread.
  std::vector<Point> points(int count = 200) const;

 private:
  struct Solved;
  std::shared_ptr<const Solved> solved_;
};

/// Solves a request: builds the frontier, refuses what cannot be reached (and says what the nearest is). With
/// the cost `activated` the predicted times stay absent, so that the policy has the same bytes on every
/// machine (predict() gives them); with `decode_ms` they are the table's.
Policy solve(const TradeoffTable& table, const LatencyTable* latency, const PolicyRequest& request);

}  // namespace ladimo
