#include "kernels/matrix_product.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <ATen/Parallel.h>

#include "kernels/amx_tiles.h"
#include "kernels/arena.h"
#include "kernels/kernel_table.h"
#include "kernels/product_body.h"
#include "kernels/team.h"

namespace ladimo {

#if defined(__x86_64__)
namespace {

using namespace body;

#define LADIMO_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))

constexpr std::int64_t pass_chunks = 4;        // chunks of inputs that are laid out at a time
constexpr std::int64_t pass_panels = 256;      // chunks times panels of 32 columns: 6 MiB
constexpr std::int64_t most_group_blocks = 8;  // blocks of rows that meet a panel while caches hold it

/// Room for parts, which a thread keeps.
class PartsRoom {
 public:
  std::vector<Parts>& of(std::int64_t count) {
    const auto n = static_cast<std::size_t>(count);
    if (parts_.size() >= n) return parts_;
    memory_ = Arena().allocate(2 * n * static_cast<std::size_t>(plane_words) * sizeof(std::uint32_t));
    auto* plane = reinterpret_cast<std::uint32_t*>(memory_.get());
    parts_.clear();
    for (std::size_t i = 0; i < n; ++i, plane += 2 * plane_words)
      parts_.push_back({plane, plane + plane_words, false});
    return parts_;
  }

 private:
  std::shared_ptr<std::byte> memory_;
  std::vector<Parts> parts_;
};

/// What one pass over some inputs and columns multiplies.
struct Pass {
  std::int64_t first_chunk, chunks, first_panel, panels;
  bool add;  // to what c holds
};

LADIMO_TARGET void lay_out_columns(const Operand& b, const Pass& pass, std::int64_t begin, std::int64_t end,
                                   Parts* to) {
  for (std::int64_t i = begin; i < end; ++i)
    lay_out<AmxTiles, Layout::by_pair>(b, (pass.first_panel + i / pass.chunks) * block_rows,
                                       (pass.first_chunk + i % pass.chunks) * chunk_inputs, to[i]);
}

/// c = sums, or c + sums with `add`, for the rows and columns that c has.
LADIMO_TARGET void put(const float* sums, std::int64_t height, std::int64_t width, bool add, float* c,
                       std::int64_t stride) {
  for (std::int64_t i = 0; i < height; ++i, sums += block_rows, c += stride)
    for (std::int64_t j = 0; j < width; j += simd::lanes) {
      simd::Floats sum, before{};
      simd::load(sums + j, sum);
      const std::int64_t count = std::min(width - j, simd::lanes);
      if (add) simd::load_part(c + j, count, before);
      simd::store_part(sum + before, count, c + j);
    }
}

LADIMO_TARGET void multiply_group(const Operand& a, std::int64_t columns, const Pass& pass, const Parts* b,
                                  Range rows, float* c, std::int64_t stride) {
  static thread_local PartsRoom room;
  Parts* const parts = room.of(most_group_blocks * pass_chunks).data();
  const std::int64_t blocks = parts_of(rows.end - rows.begin, block_rows);
  for (std::int64_t i = 0; i < blocks; ++i)
    for (std::int64_t k = 0; k < pass.chunks; ++k)
      lay_out<AmxTiles, Layout::by_row>(a, rows.begin + i * block_rows, (pass.first_chunk + k) * chunk_inputs,
                                        parts[i * pass.chunks + k]);
  // Apart from c, whose rows are far from each other.
  alignas(64) float sums[most_group_blocks][block_rows * block_rows];
  const AmxTiles tiles;
  for (std::int64_t p = 0; p < pass.panels; ++p) {
    for (std::int64_t k = 0; k < pass.chunks; ++k) {
      const std::int64_t inputs = a.inputs - (pass.first_chunk + k) * chunk_inputs;
      const std::uint32_t* const next =
          b[std::min(p * pass.chunks + k + 1, pass.panels * pass.chunks - 1)].high;
      const std::int64_t steps = parts_of(std::min(chunk_inputs, inputs), step_inputs);
      for (std::int64_t i = 0; i < blocks; ++i)
        meet(tiles, parts[i * pass.chunks + k], b[p * pass.chunks + k], steps, k == 0, sums[i],
             next + i * chunk_inputs / step_inputs * ahead_lines * line_words);
    }
    const std::int64_t column = (pass.first_panel + p) * block_rows;
    for (std::int64_t i = 0; i < blocks; ++i) {
      const std::int64_t row = rows.begin + i * block_rows;
      put(sums[i], std::min(block_rows, rows.end - row), std::min(block_rows, columns - column), pass.add,
          c + row * stride + column, stride);
    }
  }
}
#undef LADIMO_TARGET

}  // namespace

bool can_multiply_large() {
  static const bool can = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                          may_use_amx();
  return can;
}

void multiply_large(const Operand& a, const Operand& b, float* c, std::int64_t stride, bool add) {
  static thread_local PartsRoom room;
  const std::int64_t chunks = parts_of(a.inputs, chunk_inputs), panels = parts_of(b.rows, block_rows);
  // Groups of rows that threads can share evenly.
  const std::int64_t threads = at::get_num_threads();
  const std::int64_t groups = threads * parts_of(a.rows, threads * most_group_blocks * block_rows);
  const std::int64_t group = parts_of(parts_of(a.rows, block_rows), groups) * block_rows;
  for (std::int64_t k = 0; k < chunks; k += pass_chunks) {
    const std::int64_t depth = std::min(pass_chunks, chunks - k), width = pass_panels / depth;
    for (std::int64_t p = 0; p < panels; p += width) {
      const Pass pass{k, depth, p, std::min(width, panels - p), add || k > 0};
      Parts* const columns = room.of(pass_panels).data();
      at::parallel_for(0, pass.panels * depth, 1, [&](std::int64_t begin, std::int64_t end) {
        lay_out_columns(b, pass, begin, end, columns);
      });
      at::parallel_for(0, groups, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t g = begin; g < end; ++g)
          multiply_group(a, b.rows, pass, columns, {g * group, std::min(a.rows, (g + 1) * group)}, c, stride);
      });
    }
  }
}

#else

bool can_multiply_large() { return false; }
void multiply_large(const Operand&, const Operand&, float*, std::int64_t, bool) {}

#endif

}  // namespace ladimo
