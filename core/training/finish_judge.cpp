#include "training/finish_judge.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/interpolation.h"
#include "evaluate/evaluation.h"

namespace ladimo {

FinishJudge::FinishJudge(const WeightSource& source, Windows windows, const FinishSlider& slider)
    : source_(source), windows_(std::move(windows)) {
  for (const double budget : slider.budgets()) {
    policies_.push_back(slider.at_budget(budget).layers);
    for (const double share : {0.97, 1.03}) beside_.push_back(slider.at_budget(share * budget).layers);
  }
  if (slider.budgets().empty())
    for (const double tradeoff : {0.2, 0.45, 0.7, 0.95})
      policies_.push_back(slider.at_tradeoff(tradeoff).layers);
}

void FinishJudge::remember(const MoeLayers& moe, const Context& context) {
  auto policies = policies_;
  policies.insert(policies.end(), beside_.begin(), beside_.end());
  auto points = measure(moe, policies, context);
  std::ranges::stable_sort(points, {}, &Point::activated);
  for (const auto& [activated, log_kl] : points) {
    if (!activated_before_.empty() && activated == activated_before_.back()) continue;
    activated_before_.push_back(activated);
    log_kl_before_.push_back(log_kl);
  }
}

double FinishJudge::operator()(const MoeLayers& moe, const Context& context) const {
  const auto now = measure(moe, policies_, context);
  double sum = 0;
  for (const Point& point : now)
    sum += point.log_kl - interpolate(activated_before_, log_kl_before_, point.activated);
  return sum / static_cast<double>(now.size());
}

std::vector<FinishJudge::Point> FinishJudge::measure(const MoeLayers& moe,
                                                     const std::vector<ModelPolicy>& policies,
                                                     const Context& context) const {
  const auto scores = score(source_, moe, windows_, policies, context);
  std::vector<Point> points;
  for (std::size_t p = 0; p < policies.size(); ++p) {
    const auto& parameters = scores.policies[p].ffn_parameters;
    points.push_back({std::accumulate(parameters.begin(), parameters.end(), 0.0),
                      std::log(std::max(summarise(scores, p).kl, 1e-9))});
  }
  return points;
}

}  // namespace ladimo
