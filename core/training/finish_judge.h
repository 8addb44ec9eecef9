// Whether the end-to-end finish made the converted layers better.
#pragma once

#include <vector>

#include "base/context.h"
#include "evaluate/scores.h"
#include "training/finish_slider.h"

namespace ladimo {

/// Judges converted layers on held-back windows, compared with the layers before the finish.
class FinishJudge {
 public:
  /// Judges at policies along the slider, or only at its budgets where it has some.
  FinishJudge(const WeightSource& source, Windows windows, const FinishSlider& slider);

  /// Measures the layers before the finish.
  void remember(const MoeLayers& moe, const Context& context);

  /// The mean of ln(KL / KL before the finish at as many activated parameters). Below 0 is better.
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
  // Policies on both sides of the budgets: a model that was trained for a budget may run a little more.
  std::vector<ModelPolicy> beside_;
  std::vector<double> activated_before_, log_kl_before_;  // by rising activity
};

}  // namespace ladimo
