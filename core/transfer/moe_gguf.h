// A model of a MoE class as GGUF, which llama.cpp loads.
#pragma once

#include <filesystem>
#include <vector>

#include "checkpoint/gguf_arch.h"
#include "transfer/moe_folder.h"

namespace ladimo {

/// Why llama.cpp has no place for the original of a model in the class: its attention, or its tokenizer.
/// Empty where it has.
std::vector<Problem> gguf_problems(const MoeClass& target, const Checkpoint& original);

/// The bytes of tensors that write_moe_gguf() writes.
std::uint64_t moe_gguf_bytes(const MoeModel& model, GgufPrecision precision);
/// Writes the model as `path`, or as parts of at most `max_file_bytes` beside it, one tensor at a time.
/// Returns the files. Throws Refusal with gguf_problems(), Error when the disk is full, and Interrupted.
std::vector<std::filesystem::path> write_moe_gguf(const MoeModel& model, const std::filesystem::path& path,
                                                  GgufPrecision precision, std::uint64_t max_file_bytes,
                                                  const Context& context);

/// Reads such a file again (moe_gguf_reader.cpp), in fp32. Throws Refusal where it is not what the class has.
LayerwiseModel read_moe_gguf(const MoeClass& target, const std::filesystem::path& path, at::Device device);

}  // namespace ladimo
