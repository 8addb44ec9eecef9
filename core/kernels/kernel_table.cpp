#include "kernels/kernel_table.h"

#include "kernels/amx_tiles.h"
#include "kernels/attention_body.h"
#include "kernels/distribution_body.h"
#include "kernels/elementwise_body.h"
#include "kernels/panel_body.h"
#include "kernels/simd.h"
#include "kernels/tile_attention_body.h"
#include "kernels/tile_body.h"
#include "kernels/training_body.h"

namespace ladimo {
namespace {

namespace baseline {
#define LADIMO_TARGET
#include "kernels/variant.inc"
#undef LADIMO_TARGET
}  // namespace baseline

#if defined(__x86_64__)
namespace avx2 {
#define LADIMO_TARGET __attribute__((target("arch=x86-64-v3")))
#include "kernels/variant.inc"
#undef LADIMO_TARGET
}  // namespace avx2

namespace avx512 {
#define LADIMO_TARGET __attribute__((target("avx512f")))
#include "kernels/variant.inc"

LADIMO_TARGET void split(const float* x, std::int64_t n, std::int64_t row, VectorTile* to) {
  body::split_vector(x, n, row, to);
}

LADIMO_TARGET void multiply_tiles(const PanelRows<c10::BFloat16>& rows, const VectorTile* x,
                                  const std::int32_t* tokens, float* const* y, std::int64_t count) {
  body::multiply_tiles<AmxWideTiles>(rows, x, tokens, y, count);
}
LADIMO_TARGET void attend_tiles(const HeadCache<c10::BFloat16>& cache, const QueryBlock& queries,
                                std::byte* room) {
  body::attend_tiles<AmxWideTiles>(cache, queries, room);
}

std::size_t attend_room(std::int64_t n, std::int64_t head_dim) {
  return body::AttentionShape(n, head_dim).bytes();
}
#undef LADIMO_TARGET

constexpr KernelTable table_with_amx() {
  KernelTable table = avx512::table("AMX");
  table.tiles = {split, multiply_tiles, attend_tiles, attend_room};
  return table;
}
}  // namespace avx512
#endif

}  // namespace

const std::vector<KernelTable>& usable_kernels() {
  static const std::vector<KernelTable> usable = [] {
    std::vector<KernelTable> tables = {baseline::table("baseline")};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("x86-64-v3")) tables.push_back(avx2::table("AVX2"));
    if (__builtin_cpu_supports("avx512f")) tables.push_back(avx512::table("AVX-512"));
    if (__builtin_cpu_supports("avx512f") && may_use_amx()) tables.push_back(avx512::table_with_amx());
#endif
    return tables;
  }();
  return usable;
}

const KernelTable& kernels() {
  static const KernelTable& best = usable_kernels().back();
  return best;
}

}  // namespace ladimo
