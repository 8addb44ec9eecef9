// The multiple-choice knapsack of the frontier: one option per layer, with the least sum of KL for enough
// savings.
#pragma once

#include <cstdint>
#include <vector>

namespace ladimo {

/// One way to run a layer. `saving` is the difference to dense, in the unit of the cost.
struct KnapsackOption {
  double kl = 0;      // nats per token, >= 0
  double saving = 0;  // >= 0
};

/// All solutions at once. Savings are counted on a grid of `unit`. Each option's saving is rounded down, so a
/// solution saves at least what its grid point says. What rounding leaves over is spent afterwards.
class Knapsack {
 public:
  struct Solution {
    std::vector<int> choice;  // [layers] index into the layer's options
    double kl = 0;            // exact sum
    double saving = 0;        // exact sum
  };

  /// Every layer has at least one option. Its first option (dense) is kept even where another is as good. The
  /// time is proportional to layers x min(options, savings of a layer in units) x grid points.
  Knapsack(const std::vector<std::vector<KnapsackOption>>& layers, double unit);

  /// The solution of least KL that saves at least `saving`, or the cheapest where none saves that much. KL
  /// never rises when `saving` falls.
  Solution at(double saving) const;
  /// The solution with the greatest savings. Of several such solutions it is the one with the least KL.
  Solution cheapest() const;
  /// The solution with the greatest savings whose KL is at most `kl`, or the one of least KL where none is
  /// that low.
  Solution within(double kl) const;
  /// The distinct answers of `at` by falling savings, without the choices.
  std::vector<Solution> all() const;

 private:
  struct Option {
    double kl;
    double saving;
    int units;     // saving in units, rounded down
    int original;  // index into the caller's options
    // The step to the option before this one, one rung up: its cost, and its gain in KL per cost.
    double price = 0;
    double worth = 0;
  };
  // Per layer the options that no other option beats, by rising saving and rising KL.
  std::vector<std::vector<Option>> layers_;
  // rows_[l][s] is the least KL of the first l layers that saves at least s units. [layers + 1, width_]
  std::vector<double> rows_;
  std::size_t width_ = 1;
  double unit_ = 1;
  int steps_ = 0;  // floor of the greatest exact savings
  int reach_ = 0;  // greatest savings on the grid, <= steps_

  const double* row(std::size_t layer) const { return rows_.data() + layer * width_; }
  void fill_row(std::size_t layer, int reach_before);
  std::vector<int> trace(int step) const;
  void spend(std::vector<int>& choice, double leftover) const;
  /// The solution of a grid point in 0 ... steps_, with its leftover spent.
  Solution repaired(int step) const;
  /// The solutions of all grid points near enough to `step` to save as much.
  std::vector<Solution> around(int step) const;
  Solution sum(const std::vector<int>& choice) const;
};

}  // namespace ladimo
