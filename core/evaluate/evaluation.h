// Scores of one policy, summed up (method.md section 5).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "checkpoint/config.h"
#include "evaluate/scores.h"
#include "policy/policy_file.h"

namespace ladimo {

struct Evaluation {
  std::int64_t tokens = 0;         // scored: W - 1 per window
  double nll = 0, perplexity = 0;  // nats per token; exp(nll)
  double dense_nll = 0, dense_perplexity = 0;
  double kl = 0;                           // mean KL(dense || converted), nats per token
  std::array<double, 4> kl_percentiles{};  // 50, 95, 99, 100
  double same_top = 0, same_top_se = 0;    // share of equal most likely tokens, sqrt(p (1 - p) / (n - 1))
};

/// Sums up one policy over all windows, or over those of one source file.
Evaluation summarise(const Scores& scores, std::size_t policy, std::optional<std::int32_t> source = {});

/// The same with the activated parameters that were counted, as the numbers of a policy file.
PolicyNumbers measured_numbers(const Evaluation& evaluation, const PolicyScores& scores,
                               const ModelConfig& config);

/// {tokens, nll, perplexity, dense_nll, dense_perplexity, kl, kl_percentiles, same_top, same_top_se}.
nlohmann::json to_json(const Evaluation& evaluation);

}  // namespace ladimo
