// The slider as the finish sees it before it trains: an estimated frontier, and the layers to start from.
#pragma once

#include <optional>
#include <vector>

#include "base/random.h"
#include "model/weight_source.h"
#include "policy/class_policies.h"
#include "policy/frontier.h"
#include "profile/sensitivity.h"
#include "run/recipe.h"
#include "training/elastic_student.h"

namespace ladimo {

/// Keeps references to `source` and `moe`.
class FinishSlider {
 public:
  /// Estimates the sensitivities of 13 thresholds (of some ks, where the recipe has top_k) of each of
  /// `recipe.layers` on some of the calibration windows, with the weights of first_layer() as `storage` holds
  /// them. Takes the memory of one layer.
  FinishSlider(const WeightSource& source, const MoeLayers& moe, const Recipe& recipe,
               const Windows& calibration, at::ScalarType storage, const Context& context);

  /// The policies of the slider: of the frontier, or of the class that the run is made for
  /// (policy/class_policies.h). A budget is in activated parameters of the whole model.
  Policy at_tradeoff(double tradeoff) const;
  Policy at_budget(double budget) const;
  /// Activated parameters of the whole model, one for each of the recipe's levels, where a conversion is
  /// trained for these alone. Empty where it is trained for the whole slider.
  const std::vector<double>& budgets() const { return budgets_; }

  static constexpr int stretches = 4;  // that draw() divides the slider into
  /// Draws a policy from one stretch of the frontier, or at one of the budgets. Stretches are shorter at the
  /// cheap end, because it has the most to learn.
  Policy draw(int stretch, Random& random) const;

  /// The weights of a converted layer that training starts from. With `finish.shift` they have shifts, unless
  /// the recipe trains for single budgets.
  MoeWeights first_layer(int layer) const;

 private:
  const WeightSource& source_;
  const MoeLayers& moe_;
  bool shifts_;
  CandidateTable thresholds_;
  std::optional<Frontier> frontier_;
  std::optional<ClassPolicies> of_class_;  // in the place of the frontier
  std::vector<double> budgets_;
};

}  // namespace ladimo
