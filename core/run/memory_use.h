// How much memory a conversion takes, step by step, by arithmetic from shapes.
#pragma once

#include <cstdint>
#include <vector>

#include "run/estimate.h"

namespace ladimo {

/// The memory that one step takes, in bytes.
struct MemoryUse {
  /// Memory that must be there: one layer and its converted form, what it takes to fit or differentiate the
  /// layer, and one chunk.
  double needed = 0;
  /// Residual streams, rows of a layer and layer inputs. They may also be kept in scratch files.
  double streams = 0;
};

/// The memory of every step of the workload. Each includes the program itself.
std::vector<MemoryUse> memory_uses(const Workload& work);
/// The memory of `eval` on `tokens` tokens in windows of `window` tokens: the dense model and a converted
/// one, layer by layer.
MemoryUse evaluation_memory(const ModelConfig& config, std::int64_t window, std::int64_t tokens, int threads);
/// The bytes that the end-to-end finish takes on `tokens` tokens, without the program itself. The finish
/// holds the whole model.
double finish_memory(const Workload& work, double tokens);

/// The bytes that streams may take when all steps should stay within `memory` bytes: what the largest
/// `needed` leaves, or 0.
std::uint64_t stream_budget(const std::vector<MemoryUse>& uses, std::uint64_t memory);
/// The largest memory in bytes that any step takes when streams may take `budget` bytes.
std::uint64_t peak_memory(const std::vector<MemoryUse>& uses, std::uint64_t budget);
/// The most bytes that are in scratch files at a time when streams may take `budget` bytes of memory.
std::uint64_t scratch_bytes(const std::vector<MemoryUse>& uses, std::uint64_t budget);

}  // namespace ladimo
