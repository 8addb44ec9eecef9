#include "policy/knapsack.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace ladimo {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

/// Sets less[s] = min(less[s], before[max(s - units, 0)] + kl) for s up to reach + units.
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
    for (std::size_t i = 1; i < kept.size(); ++i) {
      kept[i].price = kept[i].saving - kept[i - 1].saving;
      kept[i].worth = (kept[i].kl - kept[i - 1].kl) / kept[i].price;
    }
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
    // Options rise in KL, so the first of those with equal units is the best.
    if (option.units == units) continue;
    units = option.units;
    relax(less, row(layer), reach_before, units, option.kl);
  }
}

std::vector<int> Knapsack::trace(int step) const {
  std::vector<int> choice(layers_.size());
  for (std::size_t l = layers_.size(); l-- > 0;) {
    // These are the same sums as in fill_row, so one of them equals the target to the last bit.
    const double target = row(l + 1)[step];
    const double* before = row(l);
    const Option* option = layers_[l].data();
    while (before[std::max(step - option->units, 0)] + option->kl != target) ++option;
    choice[l] = static_cast<int>(option - layers_[l].data());
    step = std::max(step - option->units, 0);
  }
  return choice;
}

// Rounding leaves up to a unit per layer unspent. That buys back the most KL per cost, one rung of a layer at
// a time.
void Knapsack::spend(std::vector<int>& choice, double leftover) const {
  using Upgrade = std::pair<double, std::size_t>;  // worth, and the layer counted from the end so that ties
                                                   // go to the first layer
  std::vector<Upgrade> upgrades;
  upgrades.reserve(layers_.size());
  const auto option = [&](std::size_t layer) -> const Option& {
    return layers_[layer][static_cast<std::size_t>(choice[layer])];
  };
  const auto offer = [&](std::size_t layer) {
    const Option& now = option(layer);
    if (choice[layer] == 0 || now.price > leftover) return;
    upgrades.emplace_back(now.worth, layers_.size() - layer);
    std::ranges::push_heap(upgrades);
  };
  for (std::size_t l = 0; l < layers_.size(); ++l) offer(l);
  while (!upgrades.empty()) {
    std::ranges::pop_heap(upgrades);
    const std::size_t layer = layers_.size() - upgrades.back().second;
    upgrades.pop_back();
    if (option(layer).price > leftover) continue;
    leftover -= option(layer).price;
    --choice[layer];
    offer(layer);
  }
}

Knapsack::Solution Knapsack::sum(const std::vector<int>& choice) const {
  Solution solution;
  solution.choice.reserve(layers_.size());
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

// A choice saves at most a unit per layer more than the grid says. Among all repaired solutions, the best one
// that saves enough and the cheapest one that is accurate enough are therefore within as many steps as there
// are layers. Searching that far makes KL monotone in the budget, whatever the repair does.
std::vector<Knapsack::Solution> Knapsack::around(int step) const {
  const int layers = static_cast<int>(layers_.size());
  std::vector<Solution> solutions;
  for (int s = std::max(step - layers, 0); s <= std::min(step + layers, steps_); ++s)
    solutions.push_back(repaired(s));
  return solutions;
}

Knapsack::Solution Knapsack::at(double saving) const {
  const double enough = saving - 1e-9 * unit_;  // allows for rounding in the sums
  const double step = std::clamp(std::ceil(saving / unit_), 0.0, steps_ + 1.0);
  std::optional<Solution> best;
  for (Solution& solution : around(static_cast<int>(step)))
    if (solution.saving >= enough && (!best || solution.kl < best->kl)) best = std::move(solution);
  Solution last = cheapest();
  return best && best->kl <= last.kl ? *best : last;
}

Knapsack::Solution Knapsack::within(double kl) const {
  if (Solution solution = cheapest(); solution.kl <= kl) return solution;
  const double* least = row(layers_.size());
  const auto below = std::upper_bound(least, least + width_, kl) - least;
  const int step = static_cast<int>(std::max<std::ptrdiff_t>(below - 1, 0));
  Solution best = repaired(step);
  for (Solution& solution : around(step))
    if (solution.kl <= kl && solution.saving > best.saving) best = std::move(solution);
  return best;
}

std::vector<Knapsack::Solution> Knapsack::all() const {
  std::vector<Solution> solutions{cheapest()};
  for (int step = 0; step <= steps_; ++step) solutions.push_back(repaired(step));
  std::ranges::stable_sort(solutions, [](const Solution& a, const Solution& b) {
    return a.saving != b.saving ? a.saving > b.saving : a.kl < b.kl;
  });
  std::vector<Solution> distinct;
  for (const Solution& solution : solutions)
    if (distinct.empty() || solution.kl < distinct.back().kl)
      distinct.push_back({{}, solution.kl, solution.saving});
  return distinct;
}

}  // namespace ladimo
