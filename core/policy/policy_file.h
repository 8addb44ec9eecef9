// A policy for the whole model, as a file ("ladimo.policy/1", docs/formats.md; "ladimo.policy/2" where
// single inputs are left out).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "policy/layer_policy.h"

namespace ladimo {

/// What the frontier trades against KL.
enum class Cost { activated, decode_ms };
const char* to_string(Cost cost);
/// Parses "activated" or "decode_ms". Throws Refusal for any other text.
Cost parse_cost(std::string_view text);

/// Predicted or measured numbers of a policy (docs/method.md "Metrics"). Times are absent where none was
/// measured.
struct PolicyNumbers {
  double kl = 0;  // nats per token
  double perplexity = 0;
  std::optional<double> decode_ms;   // per token of one sequence, or per step (Decoding)
  std::optional<double> prefill_ms;  // per token
  double activated_parameters = 0;   // per token, whole model
  double activated_fraction = 0;     // share of the dense model's activated parameters
  double ffn_activated = 0;          // share of the dense model's FFN parameters
};

/// What decode times are about. In a step each sequence gets a token.
struct Decoding {
  int batch = 1;    // sequences that are decoded at a time
  int context = 0;  // tokens before the one that is decoded
};

struct Policy {
  std::string fingerprint;  // of the dense checkpoint
  Cost cost = Cost::activated;
  double tradeoff = 0;  // 0: all dense, 1: the cheapest
  std::vector<LayerPolicy> layers;
  PolicyNumbers predicted;
  std::optional<PolicyNumbers> measured;
  /// Where other decode times were asked for than those of one sequence in a short context.
  std::optional<Decoding> decoding = {};
  std::vector<int> pinned = {};  // layers that a person fixed, rising
};

nlohmann::json to_json(const PolicyNumbers& numbers);
nlohmann::json to_json(const Policy& policy);
/// Throws Refusal when a key is missing or its value is not a number. Times may be null.
PolicyNumbers policy_numbers_from_json(const nlohmann::json& json);
/// Reads what to_json() writes. Throws Refusal that names the file and the key.
Policy policy_from_json(const nlohmann::json& json, const std::filesystem::path& path = {});
/// Throws Refusal when the policy is for a model with another fingerprint or layer count.
void require_model(const Policy& policy, const std::string& fingerprint, std::size_t layers,
                   const std::filesystem::path& path = {});
/// Reads a policy file and checks that it is for this model. Throws Refusal when it is not, or is broken.
Policy read_policy(const std::filesystem::path& path, const std::string& fingerprint, std::size_t layers);

}  // namespace ladimo
