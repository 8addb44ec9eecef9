// What `ladimo inspect` says of a checkpoint.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "checkpoint/checkpoint.h"

namespace ladimo {

struct Inspection {
  ModelConfig config;  // as far as config.json could be understood

  /// What only a native model folder has.
  struct Native {
    std::filesystem::path origin;  // folder of the dense original
    std::string fingerprint;       // of the dense original
    int routed_experts = 0;
    std::vector<int> dense_layers, converted_layers;  // of which the folder holds the weights
  };
  std::optional<Native> native;

  std::optional<std::string> fingerprint;  // absent where the folder could not be opened
  std::optional<int>
      weight_bytes;  // per parameter of a converted layer; of a dense checkpoint that could be opened
  int threads = 0;   // that the engine takes on its machine unless it is told otherwise
  std::vector<Problem> problems;  // empty: it can be used

  /// False where not even the sizes are known.
  bool described() const { return config.layers > 0; }
};

/// The keys of the config, native{origin, fingerprint, routed_experts, dense_layers[], converted_layers[]},
/// fingerprint, weight_bytes, threads, problems[]; null for what is not known.
nlohmann::json to_json(const Inspection& inspection);
/// Throws Refusal with the key.
Inspection inspection_from_json(const nlohmann::json& json);

}  // namespace ladimo
