// config.json of a native model folder. It is that of the dense original with a section `ladimo`, which says
// which FFN weights the folder holds. `architectures` and `auto_map` name the folder's Python code
// (transfer/huggingface.h).
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
  bool dense = false;      // the dense FFN, under the original's tensor names
  bool converted = false;  // the converted layer, its tensor names prefixed with native_prefix()
  std::map<std::string, std::string> metadata;  // metadata of the converted layer's file
};

/// The section `ladimo` of config.json.
struct NativeSection {
  std::filesystem::path origin;  // folder of the dense original
  std::string fingerprint;       // fingerprint of the dense original
  std::string model_type;        // model_type in the original's config.json; may be empty
  int routed_experts = 0;        // routed experts of every converted layer
  std::vector<NativeLayer> layers;
};

/// Whether a config.json belongs to a native model folder: its model_type is "ladimo".
bool is_native(const nlohmann::json& config);
/// Reads the section `ladimo`. Throws Refusal that names the key.
NativeSection native_section(const nlohmann::json& config, const std::filesystem::path& path);
/// Returns the original's config.json from that of a native folder. Precondition: native_section() does not
/// refuse it.
nlohmann::json original_config(nlohmann::json config);
/// Returns the config.json of a native folder from that of the original.
nlohmann::json native_config(nlohmann::json original, const NativeSection& section);

/// The prefix of a converted layer's tensor names.
std::string native_prefix(std::int64_t layer);

}  // namespace ladimo
