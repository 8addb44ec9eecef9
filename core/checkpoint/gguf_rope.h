// How a GGUF file says that rotary frequencies are stretched, in the words of config.json.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "checkpoint/gguf.h"

namespace ladimo {

/// What decides the frequencies before they are stretched.
struct RopeBase {
  std::int64_t dimensions = 0;  // that are rotated in each head
  double theta = 0;
  std::int64_t positions = 0;  // context length
};

/// Adds `rope_theta`, and `rope_scaling` with `original_max_position_embeddings` where there is any, to a
/// config.json. `arch` is the prefix of the keys. Factors that are stored as a tensor are those of longrope,
/// or of llama3, whose parameters are found from them. Throws Refusal that names the key or the tensor where
/// they are none of these.
void add_rope(const Gguf& gguf, const std::string& arch, const RopeBase& base,
              nlohmann::ordered_json& config);

/// Whether a tensor holds factors of frequencies, which add_rope() reads.
bool is_rope_tensor(std::string_view name);

}  // namespace ladimo
