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

/// The memory of the program and its libraries, and of freed chunks that the allocator keeps.
inline constexpr double program_bytes = 450e6;

/// The memory of every step of the workload. Each includes the program itself.
std::vector<MemoryUse> memory_uses(const Workload& work);
/// The memory of `eval` on `tokens` tokens in windows of `window` tokens: the dense model and a converted
/// one, layer by layer.
MemoryUse evaluation_memory(const ModelConfig& config, std::int64_t window, std::int64_t tokens, int threads);
/// The memory of the finish on `tokens` tokens when it trains `block` layers at a time, without the program
/// itself. With `block` 0 it trains all together and holds the whole model.
MemoryUse finish_memory(const Workload& work, int block, double tokens);

/// The bytes that streams may take when all steps should stay within `memory` bytes: what the largest
/// `needed` leaves, or 0.
std::uint64_t stream_budget(const std::vector<MemoryUse>& uses, std::uint64_t memory);
/// The largest memory in bytes that any step takes when streams may take `budget` bytes.
std::uint64_t peak_memory(const std::vector<MemoryUse>& uses, std::uint64_t budget);
/// The most bytes that are in scratch files at a time when streams may take `budget` bytes of memory.
std::uint64_t scratch_bytes(const std::vector<MemoryUse>& uses, std::uint64_t budget);

}  // namespace ladimo
