// `ladimo compare`: this method beside its opponents on the same tokens, the same held-out text and the same
// share of activated parameters.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "commands/runtime.h"
#include "run/comparison.h"

namespace ladimo {

struct CompareRequest {
  std::filesystem::path model;
  std::vector<std::filesystem::path> text;      // calibration text
  std::vector<std::filesystem::path> held_out;  // text to measure on
  std::optional<std::int64_t> tokens;           // calibration tokens
  std::int64_t held_out_tokens = 0;             // 0: as many as the smallest file gives
  std::optional<std::int64_t> window;
  std::optional<int> experts, shared;
  std::optional<std::filesystem::path> recipe;
  std::vector<std::string> methods;           // empty: all
  std::vector<double> targets = {0.69, 0.5};  // shares of the FFNs' parameters
  std::vector<std::uint64_t> seeds = {0};
  bool ablate = false;
  std::optional<std::filesystem::path> keep;  // folder in which our runs are kept; none: a temporary one
};

/// All names that `methods` may hold. Ours come first: `ladimo` with experts alone, `ladimo-grains` with
/// single neurons and inputs of the FFNs too.
std::vector<std::string> compare_methods();

/// Converts and measures. Throws Refusal before any work for everything that convert refuses, an unknown
/// method, a target that is out of reach, a seed or a target named twice, held-out text of which half or more
/// is also calibration text, or a kept run with another recipe. Warns where a method misses a target by more
/// than 0.005, and of less calibration text in the held-out text. Our runs are in the folders `keep`/seed-N,
/// where the same command continues them.
Comparison compare(const CompareRequest& request, const Runtime& runtime, const Context& context);

}  // namespace ladimo
