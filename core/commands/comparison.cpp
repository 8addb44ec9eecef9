#include "commands/comparison.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ladimo {
namespace {

struct Measured {
  const char* name;
  double ComparisonRow::*member;
};
constexpr Measured all_measured[] = {{"ffn_activated", &ComparisonRow::ffn_activated},
                                     {"activated_fraction", &ComparisonRow::activated_fraction},
                                     {"kl", &ComparisonRow::kl},
                                     {"nll", &ComparisonRow::nll},
                                     {"perplexity", &ComparisonRow::perplexity},
                                     {"same_top", &ComparisonRow::same_top},
                                     {"seconds", &ComparisonRow::seconds}};

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
  for (const auto& row : rows) {
    nlohmann::json entry{{"method", row.method}, {"seed", row.seed}, {"target", row.target}};
    for (const Measured& measured : all_measured) entry[measured.name] = row.*measured.member;
    json.push_back(std::move(entry));
  }
  return json;
}

nlohmann::json summary_of(const std::vector<ComparisonRow>& rows) {
  auto json = nlohmann::json::array();
  for (const auto& group : by_method_and_target(rows)) {
    nlohmann::json entry{
        {"method", group.front().method}, {"target", group.front().target}, {"seeds", group.size()}};
    for (const Measured& measured : all_measured) {
      const auto [mean, spread] = mean_spread(values_of(group, measured.member));
      entry[measured.name] = mean;
      entry[std::string(measured.name) + "_spread"] = spread ? nlohmann::json(*spread) : nlohmann::json();
    }
    json.push_back(std::move(entry));
  }
  return json;
}

std::string to_csv(const std::vector<ComparisonRow>& rows) {
  std::string csv = "method,seed,target";
  for (const Measured& measured : all_measured) csv += fmt::format(",{}", measured.name);
  csv += '\n';
  const auto add = [&](const ComparisonRow& row, const std::string& seed, const auto& value_of) {
    csv += fmt::format("{},{},{}", row.method, seed, row.target);
    for (const Measured& measured : all_measured) csv += fmt::format(",{:.7g}", value_of(measured.member));
    csv += '\n';
  };
  for (const auto& row : rows) add(row, std::to_string(row.seed), [&](auto member) { return row.*member; });
  for (const auto& group : by_method_and_target(rows)) {
    if (group.size() < 2) continue;
    const auto over_seeds = [&](auto member) { return mean_spread(values_of(group, member)); };
    add(group.front(), "mean", [&](auto member) { return over_seeds(member).mean; });
    add(group.front(), "spread", [&](auto member) { return *over_seeds(member).spread; });
  }
  return csv;
}

}  // namespace ladimo
