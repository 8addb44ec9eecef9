// `ladimo generate`: a prompt continued by a run under a policy, or by a dense model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/context.h"
#include "engine/runtime.h"

namespace ladimo {

struct GenerationRequest {
  std::filesystem::path model;  // MODEL or RUN
  std::optional<std::filesystem::path> policy;
  std::optional<std::filesystem::path> dense;
  std::string prompt;
  std::int64_t max_tokens = 128;
  double temperature = 0;
  bool dense_only = false;  // a RUN's dense original
  std::uint64_t seed = 0;
};

/// Emits a TokenEvent per token; `on_text` sees the prompt and then every piece of text. Returns {text,
/// tokens[{id, text, experts[]}]}; `text` is the prompt and its continuation.
nlohmann::json continue_prompt(const GenerationRequest& request, const Runtime& runtime,
                               const Context& context,
                               const std::function<void(const std::string&)>& on_text);

}  // namespace ladimo
