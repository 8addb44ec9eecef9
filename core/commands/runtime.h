// Where and how the engine computes.
#pragma once

#include <string>

#include <ATen/core/Tensor.h>

#include "checkpoint/config.h"

namespace ladimo {

struct Runtime {
  at::Device device = at::kCPU;
};

/// Sets the threads (0: all processors; libtorch's own default is 1 on some machines), switches autograd off,
/// parses the device ("cpu", "cuda:0"). Throws Refusal for an unknown or absent device.
Runtime start_runtime(int threads, const std::string& device);

/// fp32 where the whole model fits into half of the available memory, else bf16: for work that holds the
/// model.
at::ScalarType holding_dtype(const ModelConfig& config, const Runtime& runtime);

}  // namespace ladimo
