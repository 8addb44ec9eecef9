// What a comparison found: rows, their summary over the seeds, the table as CSV.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

/// One method with one seed at one target, measured on the held-out text.
struct ComparisonRow {
  std::string method;
  std::uint64_t seed = 0;
  double target = 0;              // share of the FFNs' parameters that was asked for
  double ffn_activated = 0;       // and got, router and compensation counted
  double activated_fraction = 0;  // of all parameters
  double kl = 0;                  // nats per token
  double nll = 0, perplexity = 0;
  double same_top = 0;
  double seconds = 0;  // to make the method's models for all targets
};

struct MeanSpread {
  double mean = 0;
  std::optional<double> spread;  // sample standard deviation; none with one value
};
MeanSpread mean_spread(const std::vector<double>& values);

nlohmann::json to_json(const std::vector<ComparisonRow>& rows);

/// One entry per method and target, in the order of the rows: {method, target, seeds}, and the mean over the
/// seeds of every number of a row, with its spread beside it ("kl", "kl_spread": null with one seed).
nlohmann::json summary_of(const std::vector<ComparisonRow>& rows);

/// method,seed,target,ffn_activated,activated_fraction,kl,nll,perplexity,same_top,seconds; one line a row.
/// With several seeds two more lines per method and target: their mean and spread, "mean" and "spread" in
/// place of the seed.
std::string to_csv(const std::vector<ComparisonRow>& rows);

}  // namespace ladimo
