// Whether the end-to-end finish made the converted layers better.
#pragma once

#include <vector>

#include "base/context.h"
#include "evaluate/scores.h"
#include "policy/frontier.h"

namespace ladimo {

/// Judges converted layers on held-back windows, against what they were before.
class FinishJudge {
 public:
  /// At policies along the frontier; where `budgets` (activated parameters of the whole model) are given, at
  /// those alone.
  FinishJudge(const WeightSource& source, Windows windows, const Frontier& frontier,
              const std::vector<double>& budgets);

  /// Measures what the layers were before.
  void remember(const MoeLayers& moe, const Context& context);

  /// Mean of ln(KL / KL before at as many activated parameters): below 0 is better.
  double operator()(const MoeLayers& moe, const Context& context) const;

 private:
  struct Point {
    double activated, log_kl;
  };

  std::vector<Point> measure(const MoeLayers& moe, const std::vector<ModelPolicy>& policies,
                             const Context& context) const;

  const WeightSource& source_;
  Windows windows_;
  std::vector<ModelPolicy> policies_;
  std::vector<ModelPolicy>
      beside_;  // on both sides of the budgets: what was trained for one may run a little more
  std::vector<double> activated_before_, log_kl_before_;  // by rising activity
};

}  // namespace ladimo
