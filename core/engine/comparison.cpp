#include "engine/comparison.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ladimo {
namespace {

std::vector<double> values_of(const std::vector<ComparisonRow>& rows, double ComparisonRow::*member) {
  std::vector<double> values;
  for (const auto& row : rows) values.push_back(row.*member);
  return values;
}

/// Rows of one method at one target, in the order in which these first come.
std::vector<std::vector<ComparisonRow>> by_method_and_target(const std::vector<ComparisonRow>& rows) {
  std::vector<std::vector<ComparisonRow>> groups;
  for (const auto& row : rows) {
    const auto same = [&](const auto& group) {
      return group.front().method == row.method && group.front().target == row.target;
    };
    auto found = std::ranges::find_if(groups, same);
    if (found == groups.end()) found = groups.insert(groups.end(), std::vector<ComparisonRow>());
    found->push_back(row);
  }
  return groups;
}

}  // namespace

MeanSpread mean_spread(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return {mean, {}};
  double square = 0;
  for (const double value : values) square += (value - mean) * (value - mean);
  return {mean, std::sqrt(square / (n - 1))};
}

nlohmann::json to_json(const std::vector<ComparisonRow>& rows) {
  auto json = nlohmann::json::array();
  for (const auto& row : rows)
    json.push_back({{"method", row.method},
                    {"seed", row.seed},
                    {"target", row.target},
                    {"ffn_activated", row.ffn_activated},
                    {"activated_fraction", row.activated_fraction},
                    {"kl", row.kl},
                    {"nll", row.nll},
                    {"perplexity", row.perplexity},
                    {"same_top", row.same_top},
                    {"seconds", row.seconds}});
  return json;
}

nlohmann::json summary_of(const std::vector<ComparisonRow>& rows) {
  auto json = nlohmann::json::array();
  for (const auto& group : by_method_and_target(rows)) {
    const auto mean = [&](double ComparisonRow::*member) {
      return mean_spread(values_of(group, member)).mean;
    };
    const auto kl = mean_spread(values_of(group, &ComparisonRow::kl));
    json.push_back({{"method", group.front().method},
                    {"target", group.front().target},
                    {"seeds", group.size()},
                    {"ffn_activated", mean(&ComparisonRow::ffn_activated)},
                    {"kl", kl.mean},
                    {"kl_spread", kl.spread ? nlohmann::json(*kl.spread) : nlohmann::json()},
                    {"nll", mean(&ComparisonRow::nll)},
                    {"perplexity", mean(&ComparisonRow::perplexity)},
                    {"seconds", mean(&ComparisonRow::seconds)}});
  }
  return json;
}

std::string to_csv(const std::vector<ComparisonRow>& rows) {
  std::string csv =
      "method,seed,target,ffn_activated,activated_fraction,kl,nll,perplexity,same_top,seconds\n";
  for (const auto& row : rows)
    csv += fmt::format("{},{},{},{:.6f},{:.6f},{:.6f},{:.6f},{:.4f},{:.6f},{:.2f}\n", row.method, row.seed,
                       row.target, row.ffn_activated, row.activated_fraction, row.kl, row.nll, row.perplexity,
                       row.same_top, row.seconds);
  return csv;
}

}  // namespace ladimo
