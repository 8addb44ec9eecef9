// The result of `ladimo generate`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

struct Continuation {
  struct Token {
    std::int32_t id = 0;
    std::string text;          // may end in the middle of a character
    std::vector<int> experts;  // routed experts on in each layer; -1: dense
  };
  std::string text;  // the prompt and its continuation
  std::vector<Token> tokens;
  double tokens_per_s = 0;  // speed of the tokens after the first
};

/// Returns {text, tokens[{id, text, experts[]}], tokens_per_s}.
nlohmann::json to_json(const Continuation& continuation);
/// Reads what to_json() writes. Throws Refusal that names the key.
Continuation continuation_from_json(const nlohmann::json& json);

/// The answer of `serve` to a request to generate: the sides that were asked for.
struct Continuations {
  std::optional<Continuation> dense, converted;
};

/// Returns {dense, converted}; a side that was not asked for has no key.
nlohmann::json to_json(const Continuations& continuations);
/// Reads what to_json() writes. Throws Refusal that names the key.
Continuations continuations_from_json(const nlohmann::json& json);

}  // namespace ladimo
