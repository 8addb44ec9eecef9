#include "training/finish_judge.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "evaluate/evaluation.h"

namespace ladimo {

FinishJudge::FinishJudge(const WeightSource& source, Windows windows, const Frontier& frontier,
                         const std::vector<double>& budgets)
    : source_(source), windows_(std::move(windows)) {
  for (const double budget : budgets) {
    policies_.push_back(frontier.at_budget(budget).layers);
    for (const double share : {0.97, 1.03}) beside_.push_back(frontier.at_budget(share * budget).layers);
  }
  if (budgets.empty())
    for (const double tradeoff : {0.2, 0.45, 0.7, 0.95})
      policies_.push_back(frontier.at_tradeoff(tradeoff).layers);
}

void FinishJudge::remember(const MoeLayers& moe, const Context& context) {
  auto policies = policies_;
  policies.insert(policies.end(), beside_.begin(), beside_.end());
  before_ = measure(moe, policies, context);
  std::ranges::sort(before_, {}, &Point::activated);
}

double FinishJudge::operator()(const MoeLayers& moe, const Context& context) const {
  const auto now = measure(moe, policies_, context);
  double sum = 0;
  for (const Point& point : now) sum += point.log_kl - before_at(point.activated);
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

/// Linear between the points, and extrapolated beyond them.
double FinishJudge::before_at(double activated) const {
  if (before_.size() == 1) return before_.front().log_kl;
  std::size_t i = 1;
  while (i + 1 < before_.size() && before_[i].activated < activated) ++i;
  const Point &a = before_[i - 1], &b = before_[i];
  if (b.activated <= a.activated) return a.log_kl;
  return a.log_kl + (b.log_kl - a.log_kl) * (activated - a.activated) / (b.activated - a.activated);
}

}  // namespace ladimo
