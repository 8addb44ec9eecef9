// Predicts the numbers of any choice of layer policies from the tables.
#pragma once

#include <optional>
#include <vector>

#include "policy/policy_file.h"
#include "policy/tradeoff_table.h"

namespace ladimo {

/// A measured monotone relation through (0, 0). Beyond the last point its last ratio continues. Without
/// points it is the identity.
class Correction {
 public:
  struct Point {
    double x, y;
  };
  explicit Correction(std::vector<Point> points);
  double operator()(double x) const;
  /// The greatest x >= 0 whose value is at most `y`.
  double inverse(double y) const;

 private:
  std::optional<MonotoneCurve> curve_;
  Point last_{1, 1};
};

/// Both tables must outlive the predictor.
class Predictor {
 public:
  Predictor(const TradeoffTable& table, const LatencyTable* latency);

  /// A candidate of the table, or one between its candidates, with the inputs that the policy leaves out:
  /// mean_experts is interpolated over the logarithm of the threshold, KL and activity over mean_experts.
  /// Beyond the ladder the KL stays that of its last rung. Above the last threshold it approaches the KL of
  /// the shared neurons alone (top0). Throws Refusal when the layer does not exist or cannot have this
  /// policy.
  Candidate evaluate(int layer, const LayerPolicy& policy) const;
  /// What a layer's policy adds to the sum that the joint KL follows from: its KL, in which experts count by
  /// TradeoffTable::expert_price where the frontier may leave out single inputs (`cuts`).
  double priced_kl(int layer, const LayerPolicy& policy, bool cuts) const;
  PolicyNumbers numbers(const std::vector<LayerPolicy>& layers) const;
  /// The same with the given corrections. A frontier that may leave out single inputs uses those of cuts at
  /// all its points, also where a point leaves out none.
  PolicyNumbers numbers(const std::vector<LayerPolicy>& layers, bool cuts) const;

  /// Decode time of one layer's FFN per token, in ms, less what single inputs save in the whole layer.
  /// Precondition: there is a latency table, and the policy is one that evaluate() gave.
  double decode_ms(const LayerPolicy& policy) const;

  /// How what happens jointly follows from the sums over single layers. Leaving out single inputs adds up
  /// otherwise than experts do.
  struct Corrections {
    Correction kl;        // the joint KL for the sum of the KLs
    Correction nll;       // the joint increase of nll for that sum
    Correction activity;  // the parameters as counted for those of the table (JointPoint)
  };
  const Corrections& corrections(bool cuts) const { return cuts ? with_cuts_ : experts_; }

 private:
  Candidate evaluate_experts(int layer, const LayerPolicy& policy) const;

  const TradeoffTable& table_;
  const LatencyTable* latency_;
  std::optional<MonotoneCurve> decode_, prefill_;
  double dense_ffn_;  // parameters of all FFNs
  Corrections experts_, with_cuts_;
};

}  // namespace ladimo
