// The numbers of a comparison: means and spreads over seeds, CSV, and the steps that are left out.
#include <cmath>
#include <sstream>
#include <tuple>

#include <nlohmann/json.hpp>

#include "commands/ablations.h"
#include "evaluate/evaluation.h"
#include "run/comparison.h"
#include "run/recipe.h"

// This comes last, because torch's logging headers define another CHECK.
#include <doctest/doctest.h>

using namespace ladimo;

namespace {

ComparisonRow row(const char* method, std::uint64_t seed, double target, double kl) {
  return {method, seed, target, target - 0.001, 0.8, kl, 3.5 + kl, std::exp(3.5 + kl), 0.9, 12};
}

}  // namespace

TEST_CASE("the summary has the mean and the sample spread of every method at every target") {
  const std::vector<ComparisonRow> rows = {row("static", 0, 0.5, 0.4), row("ladimo", 0, 0.5, 0.1),
                                           row("static", 1, 0.5, 0.6), row("ladimo", 1, 0.5, 0.1),
                                           row("static", 0, 0.7, 0.2)};
  const auto summary = summary_of(rows);
  REQUIRE(summary.size() == 3);
  CHECK(summary[0].method == "static");
  CHECK(summary[0].seeds == 2);
  CHECK(summary[0].kl.mean == doctest::Approx(0.5));
  CHECK(*summary[0].kl.spread == doctest::Approx(std::sqrt(0.02)));
  CHECK(*summary[1].kl.spread == doctest::Approx(0));
  CHECK(summary[2].target == 0.7);
  CHECK_FALSE(summary[2].kl.spread);
}

TEST_CASE("CSV has a heading and one line for each row") {
  std::istringstream lines(to_csv({row("static", 3, 0.5, 0.4)}));
  std::string heading, line;
  std::getline(lines, heading);
  std::getline(lines, line);
  CHECK(heading == "method,seed,target,ffn_activated,activated_fraction,kl,nll,perplexity,same_top,seconds");
  CHECK(line.starts_with("static,3,0.5,0.499,0.8,0.4,"));
  CHECK_FALSE(std::getline(lines, line));
}

TEST_CASE("CSV of several seeds ends with their means and spreads") {
  std::istringstream lines(to_csv({row("static", 3, 0.5, 0.4), row("static", 4, 0.5, 0.6)}));
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  REQUIRE(all.size() == 5);
  CHECK(all[3].starts_with("static,mean,0.5,0.499,0.8,0.5,"));
  CHECK(all[4].starts_with("static,spread,0.5,0,0,0.1414214,"));
}

TEST_CASE("every step that may be left out or added is a setting of the recipe") {
  Recipe whole;
  whole.experts = 64;
  whole.shared = 16;
  for (const auto& ablation : ablations(whole)) {
    INFO(ablation.name);
    CHECK((ablation.has_own_run() || ablation.kinds != Kinds::mixed));
    if (!ablation.has_own_run()) continue;
    const auto settings = ablated(nlohmann::json{{"experts", 32}, {"shared", 8}}, ablation);
    CHECK_NOTHROW(recipe_from_json(settings, {}));
  }
}

TEST_CASE("without fine experts a quarter as many experts are used, if that leaves any") {
  Recipe whole;
  for (const auto& [experts, shared, fewer, fewer_shared] :
       {std::tuple{64, 16, 16, 4}, std::tuple{12, 3, 3, 1}, std::tuple{8, 0, 2, 0}}) {
    whole.experts = experts;
    whole.shared = shared;
    const auto settings = nlohmann::json::parse(ablations(whole).front().recipe);
    CHECK(settings["experts"] == fewer);
    CHECK(settings["shared"] == fewer_shared);
  }
  whole.experts = 7;
  CHECK(ablations(whole).front().name == std::string("without energy order"));
}

TEST_CASE(
    "percentiles of the KL are exact, the error of same_top is binomial, each domain has its own numbers") {
  Scores scores;
  scores.window = 6;
  scores.source = {0, 1};
  scores.dense_nll.assign(10, 2.0F);
  PolicyScores one;
  one.kl = {5, 1, 4, 2, 3, 10, 9, 8, 7, 6};
  one.nll.assign(10, 2.5F);
  one.same = {1, 1, 1, 1, 0, 1, 0, 0, 0, 0};
  scores.policies = {one};
  const auto all = summarise(scores, 0);
  CHECK(all.tokens == 10);
  CHECK(all.kl == doctest::Approx(5.5));
  CHECK(all.kl_percentiles[0] == doctest::Approx(5.5));  // as numpy.percentile computes it
  CHECK(all.kl_percentiles[1] == doctest::Approx(9.55));
  CHECK(all.kl_percentiles[2] == doctest::Approx(9.91));
  CHECK(all.kl_percentiles[3] == 10);
  CHECK(all.same_top == doctest::Approx(0.5));
  CHECK(all.kl_se == doctest::Approx(2.5));  // of the window means 3 and 8
  CHECK(all.same_top_se == doctest::Approx(std::sqrt(0.25 / 9)));
  const auto first = summarise(scores, 0, 0);
  CHECK(first.kl == doctest::Approx(3));
  CHECK(first.kl_se == 0);
  CHECK(first.same_top == doctest::Approx(0.8));
  CHECK(first.kl_percentiles[0] == doctest::Approx(3));
}
