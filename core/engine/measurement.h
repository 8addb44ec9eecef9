// `ladimo eval`: a run under a policy, or a dense model, on any text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/context.h"
#include "engine/runtime.h"

namespace ladimo {

struct EvaluationRequest {
  std::filesystem::path model;  // MODEL or RUN
  std::optional<std::filesystem::path> policy;
  std::optional<std::filesystem::path> dense;
  std::vector<std::filesystem::path> text;
  std::int64_t tokens = 0;  // 0: as many as the smallest file gives
  std::int64_t window = 0;  // 0: the run's, or the model's default
};

/// Returns what `--json` prints (design.md); the comparison keys are null for a dense model.
nlohmann::json evaluate(const EvaluationRequest& request, const Runtime& runtime, const Context& context);

}  // namespace ladimo
