// Where and how the engine computes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>

#include "checkpoint/checkpoint.h"
#include "decode/holding.h"

namespace ladimo {

struct Runtime {
  at::Device device = at::kCPU;
  std::optional<std::uint64_t> memory = {};  // limit in bytes; none: most of the free memory
  Holding holding = Holding::as_stored;      // of the whole model, where a command holds it
};

/// Sets the threads (0: all processors; libtorch's own default is 1 on some machines), switches autograd off
/// and parses the device ("cpu", "cuda:0"). Throws Refusal for an unknown or absent device.
Runtime start_runtime(int threads, const std::string& device, std::optional<std::uint64_t> memory = {});

/// What --hold asks for: "q8_0", or nothing. Throws Refusal for anything else, and for a GPU, because only
/// the decoding engine reads blocks.
Holding parse_holding(const std::string& hold, at::Device device);

/// Whether all weights in fp32 take less than half of the available memory.
bool fits_in_fp32(const ModelConfig& config);

/// The dtype for work that holds the whole model. On the CPU it is bf16 where the weights are stored in bf16,
/// else fp32 where that fits (fits_in_fp32), else bf16.
at::ScalarType holding_dtype(const Checkpoint& checkpoint, const Runtime& runtime);

}  // namespace ladimo
