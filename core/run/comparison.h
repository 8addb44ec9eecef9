// The result of `ladimo compare`: rows, their summary over the seeds, and the table as CSV.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "run/seen_shares.h"

namespace ladimo {

/// One method with one seed at one target, measured on the held-out text.
struct ComparisonRow {
  std::string method;
  std::uint64_t seed = 0;
  double target = 0;              // share of the FFNs' parameters that was asked for
  double ffn_activated = 0;       // share of the FFNs' parameters that is used, with router and compensation
  double activated_fraction = 0;  // share of the dense model's activated parameters
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

/// One method at one target, over its seeds.
struct ComparisonSummary {
  std::string method;
  double target = 0;
  std::int64_t seeds = 0;  // number of seeds
  MeanSpread ffn_activated, activated_fraction, kl, nll, perplexity, same_top, seconds;
};
/// Summarises the rows by method and target, in the order in which these first appear.
std::vector<ComparisonSummary> summary_of(const std::vector<ComparisonRow>& rows);

struct Comparison {
  std::vector<ComparisonRow> rows;
  std::int64_t tokens = 0;           // calibration tokens
  std::int64_t held_out_tokens = 0;  // scored tokens
  std::int64_t window = 0;
  int experts = 0, shared = 0;  // experts and shared experts of our method
  double dense_nll = 0, dense_perplexity = 0;
  SeenShares held_out_seen;  // how much of the held-out text is in the calibration text
};

/// Returns {rows, summary, tokens, held_out_tokens, window, experts, shared, dense_nll, dense_perplexity, and
/// the keys of SeenShares}. A row has its members' names. An entry of the summary has method, target and
/// seeds, and for every number of a row its mean and spread ("kl", "kl_spread"; a spread is null with one
/// seed).
nlohmann::json to_json(const Comparison& comparison);
/// Throws Refusal with the key. The summary is not read: it follows from the rows.
Comparison comparison_from_json(const nlohmann::json& json);

/// Returns the header method,seed,target,ffn_activated,activated_fraction,kl,nll,perplexity,same_top,seconds
/// and one line per row. With several seeds, two more lines per method and target hold the mean and the
/// spread, with "mean" and "spread" in place of the seed.
std::string to_csv(const std::vector<ComparisonRow>& rows);

}  // namespace ladimo
