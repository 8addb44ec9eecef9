#include "policy/knapsack.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>

namespace ladimo {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

/// less[s] = min(less[s], before[max(s - units, 0)] + kl) for s up to reach + units.
void relax(double* less, const double* before, int reach, int units, double kl) {
  const double without = before[0] + kl;
  for (int s = 0; s < units; ++s) less[s] = std::min(less[s], without);
  double* shifted = less + units;
  for (int s = 0; s <= reach; ++s) shifted[s] = std::min(shifted[s], before[s] + kl);
}

}  // namespace

Knapsack::Knapsack(const std::vector<std::vector<KnapsackOption>>& layers, double unit) : unit_(unit) {
  double greatest = 0;
  for (const auto& options : layers) {
    std::vector<Option> sorted;
    for (std::size_t i = 0; i < options.size(); ++i)
      sorted.push_back({options[i].kl, options[i].saving,
                        static_cast<int>(std::floor(options[i].saving / unit)), static_cast<int>(i)});
    std::ranges::sort(sorted, [](const Option& a, const Option& b) {
      if (a.saving != b.saving) return a.saving > b.saving;
      return a.kl != b.kl ? a.kl < b.kl : a.original < b.original;
    });
    std::vector<Option> kept;
    for (const Option& option : sorted)
      if (option.original == 0 || kept.empty() || option.kl < kept.back().kl) kept.push_back(option);
    std::ranges::reverse(kept);
    greatest += kept.back().saving;
    reach_ += kept.back().units;
    layers_.push_back(std::move(kept));
  }
  steps_ = std::max(reach_, static_cast<int>(std::floor(greatest / unit)));
  width_ = static_cast<std::size_t>(reach_) + 1;
  rows_.assign((layers_.size() + 1) * width_, never);
  rows_[0] = 0;
  int reach = 0;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    fill_row(l, reach);
    reach += layers_[l].back().units;
  }
}

void Knapsack::fill_row(std::size_t layer, int reach_before) {
  double* less = rows_.data() + (layer + 1) * width_;
  int units = -1;
  for (const Option& option : layers_[layer]) {
    // Options rise in KL: of those with equal units the first is the best.
    if (option.units == units) continue;
    units = option.units;
    relax(less, row(layer), reach_before, units, option.kl);
  }
}

std::vector<int> Knapsack::trace(int step) const {
  std::vector<int> choice(layers_.size());
  for (std::size_t l = layers_.size(); l-- > 0;) {
    // The same sums as in fill_row, so one of them is equal to the last bit.
    const double target = row(l + 1)[step];
    const auto& options = layers_[l];
    std::size_t i = 0;
    while (row(l)[std::max(step - options[i].units, 0)] + options[i].kl != target) ++i;
    choice[l] = static_cast<int>(i);
    step = std::max(step - options[i].units, 0);
  }
  return choice;
}

// Rounding leaves up to a unit per layer unspent: buy back the most KL per cost, one rung of a layer at a
// time.
void Knapsack::spend(std::vector<int>& choice, double leftover) const {
  struct Upgrade {
    double worth;  // KL per cost
    std::size_t layer;
    bool operator<(const Upgrade& other) const {
      return worth != other.worth ? worth < other.worth : layer > other.layer;
    }
  };
  std::priority_queue<Upgrade> upgrades;
  const auto offer = [&](std::size_t layer) {
    const auto at = static_cast<std::size_t>(choice[layer]);
    if (at == 0) return;
    const Option& now = layers_[layer][at];
    const Option& better = layers_[layer][at - 1];
    const double price = now.saving - better.saving;
    if (price <= leftover) upgrades.push({(now.kl - better.kl) / price, layer});
  };
  for (std::size_t l = 0; l < layers_.size(); ++l) offer(l);
  while (!upgrades.empty()) {
    const std::size_t layer = upgrades.top().layer;
    upgrades.pop();
    const auto at = static_cast<std::size_t>(choice[layer]);
    const double price = layers_[layer][at].saving - layers_[layer][at - 1].saving;
    if (price > leftover) continue;
    leftover -= price;
    --choice[layer];
    offer(layer);
  }
}

Knapsack::Solution Knapsack::sum(const std::vector<int>& choice) const {
  Solution solution;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Option& option = layers_[l][static_cast<std::size_t>(choice[l])];
    solution.choice.push_back(option.original);
    solution.kl += option.kl;
    solution.saving += option.saving;
  }
  return solution;
}

Knapsack::Solution Knapsack::cheapest() const {
  std::vector<int> choice;
  for (const auto& options : layers_) choice.push_back(static_cast<int>(options.size()) - 1);
  return sum(choice);
}

Knapsack::Solution Knapsack::repaired(int step) const {
  std::vector<int> choice;
  if (step <= reach_)
    choice = trace(step);
  else
    for (const auto& options : layers_) choice.push_back(static_cast<int>(options.size()) - 1);
  double saving = 0;
  for (std::size_t l = 0; l < layers_.size(); ++l)
    saving += layers_[l][static_cast<std::size_t>(choice[l])].saving;
  spend(choice, saving - step * unit_);
  return sum(choice);
}

// A repaired solution of a later step may be better than this step's. One that saves `layers` units more
// than asked is on this step's grid already, so looking that far finds the best of all later ones: KL cannot
// rise with the budget.
Knapsack::Solution Knapsack::at(int step) const {
  Solution best = repaired(step);
  const int last = std::min(step + static_cast<int>(layers_.size()), steps_);
  for (int later = step + 1; later <= last; ++later) {
    Solution other = repaired(later);
    if (other.kl < best.kl) best = std::move(other);
  }
  return best;
}

std::vector<Knapsack::Solution> Knapsack::all() const {
  std::vector<Solution> solutions(static_cast<std::size_t>(steps_) + 1);
  Solution best{{}, never, 0};
  for (int step = steps_; step >= 0; --step) {
    Solution solution = repaired(step);
    if (solution.kl <= best.kl) best = {{}, solution.kl, solution.saving};
    solutions[static_cast<std::size_t>(step)] = best;
  }
  return solutions;
}

Knapsack::Solution Knapsack::within(double kl) const {
  if (Solution solution = cheapest(); solution.kl <= kl) return solution;
  const double* best = row(layers_.size());
  const auto below = std::upper_bound(best, best + width_, kl) - best;
  const int step = static_cast<int>(std::max<std::ptrdiff_t>(below - 1, 0));
  for (int later = std::min(step + static_cast<int>(layers_.size()), steps_); later > step; --later)
    if (Solution solution = repaired(later); solution.kl <= kl) return solution;
  return repaired(step);
}

}  // namespace ladimo
