// What `ladimo inspect` reports about a checkpoint.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "run/model_check.h"

namespace ladimo {

struct Inspection {
  ModelConfig config;  // as far as config.json could be understood; `bos` as the tokenizer says

  /// What only a native model folder has: its origin and which FFN weights it holds.
  struct Native {
    std::filesystem::path origin;  // folder of the dense original
    std::string fingerprint;       // of the dense original
    int routed_experts = 0;
    std::vector<int> dense_layers, converted_layers;  // layers with dense or converted weights
  };
  std::optional<Native> native;

  std::optional<std::string> file_format;   // "safetensors" or "gguf"; absent where it could not be opened
  std::optional<std::string> quantisation;  // that most elements have: "Q4_1"; absent for plain numbers
  std::optional<std::string>
      tokenizer_kind;                      // Tokenizer::kind(); absent where there is none that can be used
  std::optional<std::string> license;      // as the model names it; absent where it does not
  std::optional<std::string> fingerprint;  // absent where the folder could not be opened
  /// Bytes per parameter of a converted layer. Only for a dense checkpoint that could be opened.
  std::optional<int> weight_bytes;
  int threads = 0;                // number of threads that the engine uses on this machine by default
  std::vector<Problem> problems;  // empty when the checkpoint can be used
  std::vector<Problem> warnings;  // where files differ and which one is used; layers that stay dense

  /// Whether at least the model's sizes are known.
  bool described() const { return config.layers > 0; }
};

/// What is known of a checked model without reading its weights: all but `native`, `fingerprint` and
/// `weight_bytes`.
Inspection describe(const CheckedModel& model);

/// The keys of the config, native{origin, fingerprint, routed_experts, dense_layers[], converted_layers[]},
/// file_format, quantisation, tokenizer (tokenizer_kind), license, fingerprint, weight_bytes, threads,
/// problems[], warnings[]; unknown values are null.
nlohmann::json to_json(const Inspection& inspection);
/// Reads what to_json() writes. Throws Refusal that names the key.
Inspection inspection_from_json(const nlohmann::json& json);

}  // namespace ladimo
