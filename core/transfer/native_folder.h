// The weights of a native model folder, written as a stream.
#pragma once

#include <filesystem>
#include <functional>

#include "base/context.h"
#include "checkpoint/checkpoint.h"

namespace ladimo {

/// Copies what `section` names, byte by byte: the original's tensors, and the files of converted layers
/// (opened by `layer_file`) behind native_prefix. One tensor is in memory at a time; shards have at most
/// `shard_bytes`.
void write_native_weights(const std::filesystem::path& folder, const Checkpoint& original,
                          const NativeSection& section,
                          const std::function<TensorStore(std::int64_t layer)>& layer_file,
                          std::uint64_t shard_bytes, const Context& context);

/// Bytes of those weights.
std::uint64_t native_weight_bytes(const Checkpoint& original, const NativeSection& section,
                                  const std::function<TensorStore(std::int64_t layer)>& layer_file);

/// Copies the tokenizer and generation files that lie beside a checkpoint.
void copy_tokenizer_files(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace ladimo
