// Recognises checkpoints that this program does not read, so that one sentence names the cause instead of one
// line per tensor.
#pragma once

#include <filesystem>
#include <optional>

#include "base/error.h"
#include "checkpoint/safetensors.h"

namespace ladimo {

/// What a folder without model.safetensors and its index holds instead: an adapter, Meta's or another
/// format, shards without an index. Absent when nothing is recognised.
std::optional<Problem> foreign_folder(const std::filesystem::path& folder);

/// What the names of the tensors say about a checkpoint that does not fit its config: quantised, an adapter,
/// part of a larger model, another naming. Absent when nothing is recognised.
std::optional<Problem> foreign_tensors(const TensorStore& store);

/// The adapter that lies beside a model. Absent when there is none.
std::optional<Problem> adapter_beside(const std::filesystem::path& folder);

}  // namespace ladimo
