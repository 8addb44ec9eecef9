// How work is cut into chunks. The engine cuts by these rules and the plan counts memory by them.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ladimo {

/// The largest matrix of a chunk takes at most this many bytes where the chunk can be cut that small, so that
/// it fits into the cache of a server. The limit is the same on every machine: sums over chunks round
/// differently when the chunks differ, and the recipe alone must decide the result. The allocator keeps freed
/// blocks of this size for the next chunk instead of asking the system for fresh pages each time
/// (commands/runtime.cpp).
inline constexpr std::int64_t chunk_bytes = 16 << 20;

/// The number of rows to compute at once: 256 to 8192, divided by `copies`. Within these bounds, `copies`
/// fp32 matrices [rows, neurons] together take at most chunk_bytes.
inline std::int64_t chunk_rows(std::int64_t neurons, std::int64_t copies = 1) {
  return std::clamp<std::int64_t>(chunk_bytes / 4 / neurons, 256, 8192) / copies;
}

/// The number of whole windows to compute at once: as many as chunk_rows() rows hold, but at least one.
inline std::int64_t chunk_windows(std::int64_t neurons, std::int64_t positions, std::int64_t copies = 1) {
  return std::max<std::int64_t>(1, chunk_rows(neurons, copies) / positions);
}

/// The number of (sequence, query) rows whose attention scores [rows * heads, keys] in fp32 take at most
/// chunk_bytes.
inline std::int64_t chunk_score_rows(std::int64_t heads, std::int64_t keys) {
  return std::max<std::int64_t>(1, chunk_bytes / (heads * keys * 4));
}

/// Rows whose hidden neurons under a candidate policy are compared together: few, so that they stay near a
/// core.
inline constexpr std::int64_t rows_compared = 128;

/// The number of rows whose logits [rows, vocab] are computed at once: they take about 4 MiB in fp32, but
/// with fewer than 256 rows the head would be read too often.
inline std::int64_t chunk_logit_rows(std::int64_t vocab) {
  return std::max<std::int64_t>(256, (4 << 20) / (4 * vocab));
}

/// The most queries of one sequence to compute at once. The number is small so that little work goes into
/// keys that a query may not see.
inline constexpr std::int64_t chunk_queries = 128;

/// How many of `count` pieces of work run side by side on the CPU's `threads`. Either each thread works on a
/// piece of its own, or the pieces run one after the other with all threads in every product. They run one
/// after the other when there are fewer pieces than threads, and when the largest matrix of a piece takes
/// more than chunk_bytes (`bytes`): threads share such a matrix well, and one per thread would take much
/// memory.
inline int pieces_at_once(int threads, std::int64_t count, std::int64_t bytes) {
  return count < threads || bytes > chunk_bytes ? 1 : threads;
}

/// Calls `work(begin, end)` for consecutive chunks of `count` items.
template <class Work>
void for_chunks(std::int64_t count, std::int64_t chunk, Work&& work) {
  for (std::int64_t begin = 0; begin < count; begin += chunk) work(begin, std::min(begin + chunk, count));
}

}  // namespace ladimo
