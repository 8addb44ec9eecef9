// What the tables say about any choice of layer policies.
#pragma once

#include <optional>
#include <vector>

#include "policy/policy_file.h"
#include "policy/tradeoff_table.h"

namespace ladimo {

/// A measured monotone relation through (0, 0); beyond the last point its last ratio goes on. Without points:
/// the identity.
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

/// Both tables must outlive it.
class Predictor {
 public:
  Predictor(const TradeoffTable& table, const LatencyTable* latency);

  /// A candidate as the table has it, or one between its candidates: mean_experts over the logarithm of the
  /// threshold, KL and activity over mean_experts. Beyond the ladder the KL stays that of its last
  /// rung; above the last threshold it goes on to that of the shared neurons alone (top0).
  /// Throws Refusal when the layer does not exist or cannot have this policy.
  Candidate evaluate(int layer, const LayerPolicy& policy) const;
  PolicyNumbers numbers(const std::vector<LayerPolicy>& layers) const;

  /// Decode time of one FFN, per token. Precondition: there is a latency table.
  double decode_ms(const LayerPolicy& policy) const;

  double dense_ffn() const { return dense_ffn_; }  // parameters of all FFNs
  /// Joint KL from the sum of the single-layer KLs.
  const Correction& kl() const { return kl_; }
  /// FFN parameters per token as counted jointly, from the sum of the table's.
  const Correction& activity() const { return activity_; }

 private:
  const TradeoffTable& table_;
  const LatencyTable* latency_;
  std::optional<MonotoneCurve> decode_, prefill_;
  double dense_ffn_;
  Correction kl_, nll_, activity_;
};

}  // namespace ladimo
