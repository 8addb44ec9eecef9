// Scores of one policy, summed up (docs/method.md "Metrics").
#pragma once

#include <cstdint>
#include <optional>

#include "checkpoint/config.h"
#include "evaluate/scores.h"
#include "policy/policy_file.h"
#include "run/evaluation.h"

namespace ladimo {

/// Sums up one policy over all windows, or over the windows of one source file.
TextScores summarise(const Scores& scores, std::size_t policy, std::optional<std::int32_t> source = {});

/// The numbers of a policy file: those of `text`, with the activated parameters counted in `scores`.
PolicyNumbers measured_numbers(const TextScores& text, const PolicyScores& scores, const ModelConfig& config);

}  // namespace ladimo
