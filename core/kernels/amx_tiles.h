// The tiles of kernels/tile_body.h, kernels/tile_attention_body.h and kernels/product_body.h in the matrix
// registers of Intel AMX.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/simd.h"

namespace ladimo {

/// Whether this processor has AMX for bf16, and AVX-512 with bf16, and the system lets this process use AMX.
/// Asks the system for that.
bool may_use_amx();

/// Configures the matrix registers of this thread for its lifetime: 16 rows of 64 bytes each. The
/// instructions are written in assembly, because a function for AMX cannot be inlined into a template that is
/// not. Intel, Architecture Instruction Set Extensions, chapter 3.
class AmxRegisters {
 public:
  LADIMO_INLINE AmxRegisters() {
    static constexpr Configuration all;
    asm volatile("ldtilecfg %0" : : "m"(all));
  }
  LADIMO_INLINE ~AmxRegisters() { asm volatile("tilerelease"); }
  AmxRegisters(const AmxRegisters&) = delete;
  AmxRegisters& operator=(const AmxRegisters&) = delete;

 protected:
  static constexpr std::size_t rows = 16, row_bytes = 64;

 private:
  struct alignas(64) Configuration {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};  // of a row, per register
    std::uint8_t row_count[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  };
  static_assert(sizeof(Configuration) == 64);
};

/// 32 vectors meet 32 outputs. Registers 0 to 3 hold sums, 4 and 5 vectors, 6 and 7 weights.
class AmxTiles : AmxRegisters {
 public:
  /// Rounds to bf16, to the nearest, ties to even. Numbers below 2^-126 become zero.
  static LADIMO_INLINE void round(const simd::Floats& from, simd::Halves& to) {
    asm("vcvtneps2bf16 %1, %0" : "=v"(to) : "v"(from));
  }

  /// Sets all sums to zero.
  LADIMO_INLINE void clear() const {
    asm volatile("tilezero %%tmm0\n\ttilezero %%tmm1\n\ttilezero %%tmm2\n\ttilezero %%tmm3" : :);
  }

  /// Weights of 32 outputs and 32 inputs: bf16 [16 pairs of inputs, 32 outputs, 2].
  LADIMO_INLINE void load_weights(const void* pairs) const {
    asm volatile(
        "tileloadd (%0,%2,1), %%tmm6\n\t"
        "tileloadd (%1,%2,1), %%tmm7"
        :
        : "r"(pairs), "r"(static_cast<const std::byte*>(pairs) + row_bytes), "r"(2 * row_bytes)
        : "memory");
  }

  /// Adds the products of 32 vectors with the weights: bf16 [32 vectors, 32 inputs], rows `stride` bytes
  /// apart.
  LADIMO_INLINE void multiply(const void* vectors, std::size_t stride) const {
    asm volatile(
        "tileloadd (%0,%2,1), %%tmm4\n\t"
        "tileloadd (%1,%2,1), %%tmm5\n\t"
        "tdpbf16ps %%tmm6, %%tmm4, %%tmm0\n\t"
        "tdpbf16ps %%tmm7, %%tmm4, %%tmm1\n\t"
        "tdpbf16ps %%tmm6, %%tmm5, %%tmm2\n\t"
        "tdpbf16ps %%tmm7, %%tmm5, %%tmm3"
        :
        : "r"(vectors), "r"(static_cast<const std::byte*>(vectors) + rows * stride), "r"(stride)
        : "memory");
  }

  /// Adds the products of the vectors of the last multiply() with the weights, which may be others by now.
  LADIMO_INLINE void multiply_again() const {
    asm volatile(
        "tdpbf16ps %%tmm6, %%tmm4, %%tmm0\n\t"
        "tdpbf16ps %%tmm7, %%tmm4, %%tmm1\n\t"
        "tdpbf16ps %%tmm6, %%tmm5, %%tmm2\n\t"
        "tdpbf16ps %%tmm7, %%tmm5, %%tmm3"
        :
        :);
  }

  /// sums [32 vectors, 32 outputs], rows `stride` bytes apart.
  LADIMO_INLINE void load(const void* sums, std::size_t stride) const {
    asm volatile(
        "tileloadd (%0,%2,1), %%tmm0\n\t"
        "tileloadd 64(%0,%2,1), %%tmm1\n\t"
        "tileloadd (%1,%2,1), %%tmm2\n\t"
        "tileloadd 64(%1,%2,1), %%tmm3"
        :
        : "r"(sums), "r"(static_cast<const std::byte*>(sums) + rows * stride), "r"(stride)
        : "memory");
  }
  LADIMO_INLINE void store(void* sums, std::size_t stride) const {
    asm volatile(
        "tilestored %%tmm0, (%0,%2,1)\n\t"
        "tilestored %%tmm1, 64(%0,%2,1)\n\t"
        "tilestored %%tmm2, (%1,%2,1)\n\t"
        "tilestored %%tmm3, 64(%1,%2,1)"
        :
        : "r"(sums), "r"(static_cast<std::byte*>(sums) + rows * stride), "r"(stride)
        : "memory");
  }
};

/// 32 vectors meet 48 outputs or fewer. Registers 0 to 5 hold sums, 6 vectors and 7 weights. The more outputs
/// meet, the less often vectors are loaded from the second-level cache.
class AmxWideTiles : AmxRegisters {
 public:
  /// Sets all sums to zero.
  LADIMO_INLINE void clear() const {
    asm volatile(
        "tilezero %%tmm0\n\ttilezero %%tmm1\n\ttilezero %%tmm2\n\t"
        "tilezero %%tmm3\n\ttilezero %%tmm4\n\ttilezero %%tmm5"
        :
        :);
  }

  /// Adds the products of 32 vectors with 32 inputs for 16 `columns` outputs. Both parts of a vector are
  /// bf16 [32 vectors, 32 inputs]; weights are bf16 [columns, 16 pairs of inputs, 16 outputs, 2].
  template <int columns>
  LADIMO_INLINE void multiply(const void* high, const void* low, const void* weights) const {
    const auto* const w = static_cast<const std::byte*>(weights);
    meet<0>(high, low, w);
    if constexpr (columns > 1) meet<1>(high, low, w + tile_bytes);
    if constexpr (columns > 2) meet<2>(high, low, w + 2 * tile_bytes);
  }

  /// sums [32 vectors, 48 outputs], rows `row_stride` floats apart.
  LADIMO_INLINE void store(float* sums, std::int64_t row_stride) const {
    const std::size_t stride = static_cast<std::size_t>(row_stride) * sizeof(float);
    asm volatile(
        "tilestored %%tmm0, (%0,%2,1)\n\t"
        "tilestored %%tmm1, 64(%0,%2,1)\n\t"
        "tilestored %%tmm2, 128(%0,%2,1)\n\t"
        "tilestored %%tmm3, (%1,%2,1)\n\t"
        "tilestored %%tmm4, 64(%1,%2,1)\n\t"
        "tilestored %%tmm5, 128(%1,%2,1)"
        :
        : "r"(sums), "r"(reinterpret_cast<std::byte*>(sums) + rows * stride), "r"(stride)
        : "memory");
  }

 private:
  static constexpr std::size_t tile_bytes = rows * row_bytes;

  // Register `column` gets the sums of the first 16 vectors, register column + 3 those of the others.
  template <int column>
  static LADIMO_INLINE void meet(const void* high, const void* low, const std::byte* weights) {
    asm volatile(
        "tileloadd (%0,%5,1), %%tmm7\n\t"
        "tileloadd (%1,%5,1), %%tmm6\n\t"
        "tdpbf16ps %%tmm7, %%tmm6, %%tmm%c6\n\t"
        "tileloadd (%2,%5,1), %%tmm6\n\t"
        "tdpbf16ps %%tmm7, %%tmm6, %%tmm%c7\n\t"
        "tileloadd (%3,%5,1), %%tmm6\n\t"
        "tdpbf16ps %%tmm7, %%tmm6, %%tmm%c6\n\t"
        "tileloadd (%4,%5,1), %%tmm6\n\t"
        "tdpbf16ps %%tmm7, %%tmm6, %%tmm%c7"
        :
        : "r"(weights), "r"(low), "r"(static_cast<const std::byte*>(low) + tile_bytes), "r"(high),
          "r"(static_cast<const std::byte*>(high) + tile_bytes), "r"(row_bytes), "i"(column), "i"(column + 3)
        : "memory");
  }
};

}  // namespace ladimo
