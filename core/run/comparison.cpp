#include "run/comparison.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<ComparisonRow> {
  static constexpr std::tuple all{Member{"method", &ComparisonRow::method},
                                  Member{"seed", &ComparisonRow::seed},
                                  Member{"target", &ComparisonRow::target},
                                  Member{"ffn_activated", &ComparisonRow::ffn_activated},
                                  Member{"activated_fraction", &ComparisonRow::activated_fraction},
                                  Member{"kl", &ComparisonRow::kl},
                                  Member{"nll", &ComparisonRow::nll},
                                  Member{"perplexity", &ComparisonRow::perplexity},
                                  Member{"same_top", &ComparisonRow::same_top},
                                  Member{"seconds", &ComparisonRow::seconds}};
};

template <>
struct Members<Comparison> {
  static constexpr std::tuple all{Member{"rows", &Comparison::rows},
                                  Member{"tokens", &Comparison::tokens},
                                  Member{"held_out_tokens", &Comparison::held_out_tokens},
                                  Member{"window", &Comparison::window},
                                  Member{"experts", &Comparison::experts},
                                  Member{"shared", &Comparison::shared},
                                  Member{"dense_nll", &Comparison::dense_nll},
                                  Member{"dense_perplexity", &Comparison::dense_perplexity}};
};

namespace {

struct Measured {
  const char* name;
  double ComparisonRow::*in_row;
  MeanSpread ComparisonSummary::*in_summary;
};
constexpr Measured all_measured[] = {
    {"ffn_activated", &ComparisonRow::ffn_activated, &ComparisonSummary::ffn_activated},
    {"activated_fraction", &ComparisonRow::activated_fraction, &ComparisonSummary::activated_fraction},
    {"kl", &ComparisonRow::kl, &ComparisonSummary::kl},
    {"nll", &ComparisonRow::nll, &ComparisonSummary::nll},
    {"perplexity", &ComparisonRow::perplexity, &ComparisonSummary::perplexity},
    {"same_top", &ComparisonRow::same_top, &ComparisonSummary::same_top},
    {"seconds", &ComparisonRow::seconds, &ComparisonSummary::seconds}};

std::vector<double> values_of(const std::vector<ComparisonRow>& rows, double ComparisonRow::*member) {
  std::vector<double> values;
  for (const auto& row : rows) values.push_back(row.*member);
  return values;
}

/// Groups the rows by method and target, in the order in which these first appear.
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

nlohmann::json to_json(const std::vector<ComparisonSummary>& summaries) {
  auto list = nlohmann::json::array();
  for (const ComparisonSummary& summary : summaries) {
    nlohmann::json entry{{"method", summary.method}, {"target", summary.target}, {"seeds", summary.seeds}};
    for (const Measured& measured : all_measured) {
      const auto& [mean, spread] = summary.*measured.in_summary;
      entry[measured.name] = mean;
      entry[std::string(measured.name) + "_spread"] = json_of(spread);
    }
    list.push_back(std::move(entry));
  }
  return list;
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

std::vector<ComparisonSummary> summary_of(const std::vector<ComparisonRow>& rows) {
  std::vector<ComparisonSummary> all;
  for (const auto& group : by_method_and_target(rows)) {
    ComparisonSummary summary;
    summary.method = group.front().method;
    summary.target = group.front().target;
    summary.seeds = std::ssize(group);
    for (const Measured& measured : all_measured)
      summary.*measured.in_summary = mean_spread(values_of(group, measured.in_row));
    all.push_back(std::move(summary));
  }
  return all;
}

nlohmann::json to_json(const Comparison& comparison) {
  auto json = members_to_json(comparison);
  json["summary"] = to_json(summary_of(comparison.rows));
  json.update(to_json(comparison.held_out_seen));
  return json;
}

Comparison comparison_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "comparison");
  auto comparison = members_from_json<Comparison>(fields);
  comparison.held_out_seen = seen_shares_from_json(fields);
  return comparison;
}

std::string to_csv(const std::vector<ComparisonRow>& rows) {
  std::string csv = "method,seed,target";
  for (const Measured& measured : all_measured) csv += fmt::format(",{}", measured.name);
  csv += '\n';
  const auto add = [&](const ComparisonRow& row, const std::string& seed, const auto& value_of) {
    csv += fmt::format("{},{},{}", row.method, seed, row.target);
    for (const Measured& measured : all_measured) csv += fmt::format(",{:.7g}", value_of(measured.in_row));
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
