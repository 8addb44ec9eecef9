// Projections that a family stores as one tensor are split while reading, so that the rest of the program
// knows only q, k, v, gate and up.
#pragma once

#include <vector>

#include "base/error.h"
#include "checkpoint/config.h"
#include "checkpoint/safetensors.h"

namespace ladimo {

/// Rows first ... first + count - 1 of `view` under another name. Precondition: it has them.
TensorView rows_of(const TensorView& view, std::string name, std::int64_t first, std::int64_t count);

/// `store` with q_proj, k_proj and v_proj in place of qkv_proj, and with gate_proj and up_proj in place of
/// gate_up_proj, in a family that stores them so. What is stored apart, as in a native model folder, stays as
/// it is. Adds a problem for every fused tensor whose shape does not fit `config`; such a tensor stays too.
TensorStore split_fused(const TensorStore& store, const ModelConfig& config, std::vector<Problem>& problems);

}  // namespace ladimo
