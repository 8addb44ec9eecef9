// How much memory a conversion takes, step by step, by arithmetic from shapes.
#pragma once

#include <cstdint>
#include <vector>

#include "run/estimate.h"

namespace ladimo {

/// Of one step, in bytes.
struct MemoryUse {
  double needed = 0;  // one layer and its converted form, what fitting or differentiating it takes, one chunk
  double streams =
      0;  // residual streams, rows of a layer, layer inputs: what may lie in scratch files as well
};

/// Of every step that the workload has. The program itself is counted in each.
std::vector<MemoryUse> memory_uses(const Workload& work);
/// Of `eval` on `tokens` tokens in windows of `window`: the dense model and a converted one, layer by layer.
MemoryUse evaluation_memory(const ModelConfig& config, std::int64_t window, std::int64_t tokens, int threads);
/// Of the end-to-end finish on `tokens` tokens, which holds the whole model.
double finish_memory(const Workload& work, double tokens);

/// What streams may take of `memory` bytes beside the greatest of the needs; 0 where that is more already.
std::uint64_t stream_budget(const std::vector<MemoryUse>& uses, std::uint64_t memory);
/// The peak with that budget.
std::uint64_t peak_memory(const std::vector<MemoryUse>& uses, std::uint64_t budget);
/// What lies in scratch files with that budget, at most.
std::uint64_t scratch_bytes(const std::vector<MemoryUse>& uses, std::uint64_t budget);

}  // namespace ladimo
