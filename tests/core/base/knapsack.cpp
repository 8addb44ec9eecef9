#include "policy/knapsack.h"

#include <cmath>
#include <functional>
#include <limits>

#include <doctest/doctest.h>

#include "base/random.h"

using namespace ladimo;

namespace {

using Layers = std::vector<std::vector<KnapsackOption>>;

/// Least KL over all combinations that save at least `wanted`; `saving_of` says how savings are counted.
double brute_force(const Layers& layers, double wanted,
                   const std::function<double(const KnapsackOption&)>& saving_of) {
  double best = std::numeric_limits<double>::infinity();
  std::function<void(std::size_t, double, double)> visit = [&](std::size_t l, double kl, double saving) {
    if (l == layers.size()) {
      if (saving >= wanted) best = std::min(best, kl);
      return;
    }
    for (const auto& option : layers[l]) visit(l + 1, kl + option.kl, saving + saving_of(option));
  };
  visit(0, 0, 0);
  return best;
}

Layers random_layers(Random& random, bool on_grid) {
  Layers layers(2 + random.below(3));
  for (auto& options : layers) {
    options.push_back({0, 0});
    const auto count = random.below(5);
    for (std::uint64_t i = 0; i < count; ++i) {
      const double saving = 12 * random.uniform();
      options.push_back(
          {random.below(4) == 0 ? 0.5 : random.uniform(), on_grid ? std::floor(saving) : saving});
    }
  }
  return layers;
}

void check_consistent(const Layers& layers, const Knapsack::Solution& solution) {
  double kl = 0, saving = 0;
  REQUIRE(solution.choice.size() == layers.size());
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto& option = layers[l].at(static_cast<std::size_t>(solution.choice[l]));
    kl += option.kl;
    saving += option.saving;
  }
  CHECK(solution.kl == doctest::Approx(kl));
  CHECK(solution.saving == doctest::Approx(saving));
}

}  // namespace

TEST_CASE("with savings on the grid every solution is optimal") {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const Layers layers = random_layers(random, true);
    const Knapsack knapsack(layers, 1);
    for (double saving = 0; saving <= knapsack.cheapest().saving; saving += 0.5) {
      const auto solution = knapsack.at(saving);
      check_consistent(layers, solution);
      CHECK(solution.saving >= saving);
      const double best = brute_force(layers, saving, [](const auto& o) { return o.saving; });
      REQUIRE(solution.kl == doctest::Approx(best).epsilon(1e-12));
    }
  }
}

TEST_CASE("with savings off the grid KL lies between the optima for exact and for rounded-down savings") {
  Random random(2);
  for (int round = 0; round < 300; ++round) {
    const Layers layers = random_layers(random, false);
    const Knapsack knapsack(layers, 1);
    double before = -1;
    for (double saving = 0; saving <= knapsack.cheapest().saving; saving += 0.25) {
      const auto solution = knapsack.at(saving);
      check_consistent(layers, solution);
      CHECK(solution.saving >= saving - 1e-9);
      CHECK(solution.kl <=
            brute_force(layers, saving, [](const auto& o) { return std::floor(o.saving); }) + 1e-12);
      CHECK(solution.kl >= brute_force(layers, saving, [](const auto& o) { return o.saving; }) - 1e-12);
      REQUIRE(solution.kl >= before);
      before = solution.kl;
    }
    for (const auto& solution : knapsack.all()) {
      CHECK(knapsack.at(solution.saving).kl == solution.kl);
      CHECK(knapsack.at(solution.saving).saving == solution.saving);
    }
  }
}

TEST_CASE("the cheapest solution saves the most, with the least KL") {
  const Knapsack knapsack({{{0, 0}, {0.3, 5.5}, {0.2, 5.5}, {0.1, 2}}, {{0, 0}, {0.4, 1.75}}}, 1);
  const auto cheapest = knapsack.cheapest();
  CHECK(cheapest.choice == std::vector<int>{2, 1});
  CHECK(cheapest.saving == 7.25);
  // On the grid the savings are only 5 + 1, but the exact sum is reached all the same.
  CHECK(knapsack.at(7).choice == cheapest.choice);
  CHECK(knapsack.at(7.25).choice == cheapest.choice);
  CHECK(knapsack.at(99).choice == cheapest.choice);
}

TEST_CASE("within a KL limit the most is saved") {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    const Layers layers = random_layers(random, true);
    const Knapsack knapsack(layers, 1);
    const double limit = 2 * random.uniform();
    const auto solution = knapsack.within(limit);
    CHECK(solution.kl <= limit + 1e-12);
    const double more = solution.saving + 1;
    CHECK(brute_force(layers, more, [](const auto& o) { return o.saving; }) > limit - 1e-12);
  }
}

TEST_CASE("layers stay dense if nothing has to be saved; a problem without layers is solved") {
  const Knapsack free_lunch({{{0, 0}, {0, 3}}}, 1);
  CHECK(free_lunch.at(0).choice == std::vector<int>{0});
  CHECK(free_lunch.at(3).choice == std::vector<int>{1});
  const Knapsack nothing({}, 1);
  CHECK(nothing.at(0).kl == 0);
  CHECK(nothing.cheapest().choice.empty());
}
