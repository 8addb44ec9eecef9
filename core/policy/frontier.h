// The decision of stage 2: the least sum of single-layer KLs within a budget. This is a multiple-choice
// knapsack, solved exactly by dynamic programming on a grid of 1/2048 of the FFNs' dense cost (docs/method.md
// "Stage 2").
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
/// Parses "mixed", "threshold" or "top_k". Throws Refusal for any other text.
Kinds parse_kinds(std::string_view text);

/// What a frontier may choose among.
struct Choices {
  Grains grains = {};
  bool attention = true;  // whether the attention may leave out inputs, else only the FFN may
};

/// At most one of the budgets is set. Without a budget the tradeoff is 0.5. A speedup always counts
/// decode_ms.
struct PolicyRequest {
  Cost cost = Cost::activated;
  std::optional<double> tradeoff = {};       // 0 ... 1: budget = (1 - T) cost(dense) + T cost(cheapest)
  std::optional<double> activated = {};      // at most this activated_fraction
  std::optional<double> ffn_activated = {};  // at most this share of the FFNs' parameters
  std::optional<double> max_kl = {};         // the cheapest policy whose predicted KL is at most this
  std::optional<double> speedup = {};        // at least this much faster in decode_ms than dense
  std::vector<Pin> pins = {};
  Kinds kinds = Kinds::mixed;  // pins may be of any kind
  Grains grains = {};          // pins may be of any grain
};

/// Throws Refusal for more than one budget, and for one that is out of range.
void require_valid(const PolicyRequest& request);

/// Predicts the numbers of any choice of layer policies from the tables. Candidates are looked up. Thresholds
/// and ks between them are interpolated monotonically over activity. Joint KL, perplexity and activity use
/// the correction fitted to the measured joint points. Throws Refusal when a layer cannot have its policy.
PolicyNumbers predict(const TradeoffTable& table, const LatencyTable* latency,
                      const std::vector<LayerPolicy>& layers);

/// All optimal policies for one cost and one set of pins.
class Frontier {
 public:
  /// Runs the dynamic program, which takes milliseconds for 128 layers x 32 candidates. Throws Refusal when a
  /// pin names a layer that does not exist or a policy that the layer cannot have, or when the cost is
  /// decode_ms and there is no latency table.
  Frontier(const TradeoffTable& table, const LatencyTable* latency, Cost cost,
           const std::vector<Pin>& pins = {}, Kinds kinds = Kinds::mixed, const Choices& choices = {});

  /// The policy of least KL whose cost is at most `budget`, in the unit of the cost and for the whole model.
  /// A budget below the cheapest policy gives the cheapest policy.
  Policy at_budget(double budget) const;
  /// The policy at the budget (1 - tradeoff) dense_cost() + tradeoff cheapest_cost().
  Policy at_tradeoff(double tradeoff) const;
  /// The cheapest policy whose predicted (corrected) KL is at most `kl`.
  Policy at_max_kl(double kl) const;

  /// Costs of the whole model. Predicted activated parameters include the joint correction.
  double dense_cost() const;     // every layer is dense
  double accurate_cost() const;  // the most accurate policy that the pins allow
  double cheapest_cost() const;
  /// Whether some policy is cheaper than dense. With decode_ms this means that some measured time is below
  /// dense.
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

/// Builds the frontier and solves a request. Throws Refusal for a request that cannot be met and names the
/// nearest one that can. With the cost `activated` the predicted times stay absent, so that the policy has
/// the same bytes on every machine; predict() gives the times. With `decode_ms` they come from the table.
Policy solve(const TradeoffTable& table, const LatencyTable* latency, const PolicyRequest& request);

}  // namespace ladimo
