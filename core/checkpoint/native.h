// config.json of a native model folder: the dense original's, with a section that says what became of its
// FFNs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

/// Which FFN weights the folder holds for one layer: dense, converted, or both.
struct NativeLayer {
  bool dense = false;                           // the original's, under its names
  bool converted = false;                       // the converted layer's file, its names behind native_prefix
  std::map<std::string, std::string> metadata;  // of the converted layer's file
};

/// The section `ladimo` of config.json.
struct NativeSection {
  std::filesystem::path origin;  // folder of the dense original
  std::string fingerprint;       // of the dense original
  std::string model_type;        // as the original's config.json says; may be empty
  int routed_experts = 0;        // of every converted layer
  std::vector<NativeLayer> layers;
};

/// Whether a config.json is a native folder's: its model_type is "ladimo".
bool is_native(const nlohmann::json& config);
/// Throws Refusal with the key.
NativeSection native_section(const nlohmann::json& config, const std::filesystem::path& path);
/// The original's config.json, from a native folder's. Precondition: native_section did not refuse it.
nlohmann::json original_config(nlohmann::json config);
/// The native folder's config.json, from the original's.
nlohmann::json native_config(nlohmann::json original, const NativeSection& section);

/// The prefix of a converted layer's tensor names.
std::string native_prefix(std::int64_t layer);

}  // namespace ladimo
