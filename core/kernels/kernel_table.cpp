#include "kernels/kernel_table.h"

#include "kernels/amx_tiles.h"
#include "kernels/attention_body.h"
#include "kernels/distribution_body.h"
#include "kernels/elementwise_body.h"
#include "kernels/panel_body.h"
#include "kernels/simd.h"
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

LADIMO_TARGET void multiply_tiles(const PanelRows<c10::BFloat16>& rows, const float* const* x,
                                  float* const* y, std::int64_t tokens) {
  constexpr std::int64_t fewest_inputs = 16;  // fewer fill too little of a tile
  if (rows.count < fewest_inputs) return multiply_many(rows, x, y, tokens);
  body::multiply_tiles<AmxTiles>(rows, x, y, tokens);
}
#undef LADIMO_TARGET

// All but the product of many vectors with bf16 weights is that of AVX-512.
constexpr KernelTable table_with_amx() {
  KernelTable table = avx512::table("AMX");
  table.bf16.multiply_many = multiply_tiles;
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
