// How work is cut into chunks. The engine cuts by these rules and the plan counts memory by them.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ladimo {

/// The greatest matrix of a chunk takes at most this much, where the chunk can be cut so small: it fits the
/// cache of a server. It is the same on every machine, because sums over chunks round differently with other
/// chunks, and the recipe alone must decide the result. The allocator keeps that much for the next chunk
/// instead of asking the system for fresh pages each time (commands/runtime.cpp).
inline constexpr std::int64_t chunk_bytes = 16 << 20;

/// The number of rows to compute at once: one [rows, neurons] fp32 matrix takes at most chunk_bytes. `copies`
/// such matrices share them.
inline std::int64_t chunk_rows(std::int64_t neurons, std::int64_t copies = 1) {
  return std::clamp<std::int64_t>(chunk_bytes / 4 / neurons, 256, 8192) / copies;
}

/// The number of whole windows to compute at once, at least one. It follows the rule of chunk_rows().
inline std::int64_t chunk_windows(std::int64_t neurons, std::int64_t positions, std::int64_t copies = 1) {
  return std::max<std::int64_t>(1, chunk_rows(neurons, copies) / positions);
}

/// The number of (sequence, query) rows whose attention scores [rows * heads, keys] in fp32 take at most
/// chunk_bytes.
inline std::int64_t chunk_score_rows(std::int64_t heads, std::int64_t keys) {
  return std::max<std::int64_t>(1, chunk_bytes / (heads * keys * 4));
}

/// The most queries of one sequence to compute at once: few, so that few keys are multiplied that no query
/// sees.
inline constexpr std::int64_t chunk_queries = 128;

/// How many of `count` pieces of work run side by side, each on one of the CPU's `threads`: all threads have
/// one, or the pieces run one after the other, with all threads in every product. That is so where there are
/// too few pieces, and where the greatest matrix of a piece (`bytes`) is so large that threads share it well,
/// because then every piece at work would hold a large chunk.
inline int pieces_at_once(int threads, std::int64_t count, std::int64_t bytes) {
  return count < threads || bytes > chunk_bytes ? 1 : threads;
}

/// Calls `work(begin, end)` for consecutive chunks of `count` items.
template <class Work>
void for_chunks(std::int64_t count, std::int64_t chunk, Work&& work) {
  for (std::int64_t begin = 0; begin < count; begin += chunk) work(begin, std::min(begin + chunk, count));
}

}  // namespace ladimo
