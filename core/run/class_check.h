// Whether a model fits into a MoE class of transformers.
#pragma once

#include <optional>
#include <string>

#include "checkpoint/config.h"
#include "policy/moe_class.h"

namespace ladimo {

/// Why the class has no place for a model of this configuration, as a sentence that begins after "It". For
/// GGUF files see gguf_arch_problems (checkpoint/gguf_arch.h).
std::optional<std::string> objection(const MoeClass& target, const ModelConfig& config);

}  // namespace ladimo
