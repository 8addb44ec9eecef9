// The multiple-choice knapsack under the frontier: one option per layer, least sum of KL for enough savings.
#pragma once

#include <cstdint>
#include <vector>

namespace ladimo {

/// One way to run a layer. `saving` is how much cheaper it is than dense, in the unit of the cost.
struct KnapsackOption {
  double kl = 0;      // nats per token, >= 0
  double saving = 0;  // >= 0
};

/// All solutions at once. Savings are counted on a grid of `unit`, each option's rounded down, so a solution
/// saves at least what its grid point says; what rounding leaves over is spent afterwards.
class Knapsack {
 public:
  struct Solution {
    std::vector<int> choice;  // [layers] index into the layer's options
    double kl = 0;            // exact sum
    double saving = 0;        // exact sum
  };

  /// Every layer has at least one option; its first is kept even where another is as good (it is dense).
  /// Costs layers x min(options, savings of a layer in units) x grid points.
  Knapsack(const std::vector<std::vector<KnapsackOption>>& layers, double unit);

  /// The least KL that saves at least `saving`, or the cheapest where that is too much. KL never rises when
  /// `saving` falls.
  Solution at(double saving) const;
  /// The greatest savings there are; of these, the least KL.
  Solution cheapest() const;
  /// The most savings whose KL is at most `kl`; the least KL there is when none is that low.
  Solution within(double kl) const;
  /// Every different answer of `at` by falling savings, without the choices.
  std::vector<Solution> all() const;

 private:
  struct Option {
    double kl;
    double saving;
    int units;     // saving in units, rounded down
    int original;  // index into the caller's options
    // One rung up, to the option before: its cost and its KL gained per cost.
    double price = 0;
    double worth = 0;
  };
  // Per layer the options that no other beats, by rising saving and rising KL.
  std::vector<std::vector<Option>> layers_;
  // rows_[l][s]: least KL of the first l layers that saves at least s units. [layers + 1, width_]
  std::vector<double> rows_;
  std::size_t width_ = 1;
  double unit_ = 1;
  int steps_ = 0;  // floor of the greatest exact savings
  int reach_ = 0;  // greatest savings on the grid, <= steps_

  const double* row(std::size_t layer) const { return rows_.data() + layer * width_; }
  void fill_row(std::size_t layer, int reach_before);
  std::vector<int> trace(int step) const;
  void spend(std::vector<int>& choice, double leftover) const;
  /// The solution of a grid point, 0 ... steps_, with its leftover spent.
  Solution repaired(int step) const;
  /// Solutions of all grid points so near to `step` that they may save as much.
  std::vector<Solution> around(int step) const;
  Solution sum(const std::vector<int>& choice) const;
};

}  // namespace ladimo
