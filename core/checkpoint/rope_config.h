// The keys of config.json that say how positions are rotated into queries and keys.
#pragma once

#include "checkpoint/config.h"
#include "checkpoint/config_reader.h"
#include "checkpoint/families.h"

namespace ladimo {

/// Reads rope_theta, rope_scaling or rope_parameters, partial_rotary_factor and
/// original_max_position_embeddings into `config`, whose head_dim and max_positions are known. With dynamic
/// and yarn it raises max_positions to what stretching reaches.
void read_rope(const ConfigReader& reader, const Family& family, ModelConfig& config);

}  // namespace ladimo
