// What AmxTiles and AmxWideTiles (kernels/amx_tiles.h) do, with the meaning of Intel's TDPBF16PS.
#pragma once

#include <cstddef>
#include <cstring>

#include <c10/util/BFloat16.h>

#include "kernels/simd.h"

namespace ladimo::testing {

class SoftwareTiles {
 public:
  SoftwareTiles() = default;
  SoftwareTiles(const SoftwareTiles&) = delete;
  SoftwareTiles& operator=(const SoftwareTiles&) = delete;

  static void round(const simd::Floats& from, simd::Halves& to) {
    for (int i = 0; i < simd::lanes; ++i) to[i] = c10::BFloat16(from[i]).x;
  }
  void clear() const {
    for (auto& row : sums_)
      for (float& sum : row) sum = 0;
  }
  void load_weights(const void* pairs) const { std::memcpy(weights_, pairs, sizeof(weights_)); }
  void multiply(const void* vectors, std::size_t stride) const {
    for (std::size_t m = 0; m < 32; ++m)
      std::memcpy(vectors_[m], static_cast<const std::byte*>(vectors) + m * stride, sizeof(vectors_[m]));
    multiply_again();
  }
  void multiply_again() const {
    for (std::size_t m = 0; m < 32; ++m)
      for (std::size_t n = 0; n < 32; ++n)
        for (std::size_t k = 0; k < 16; ++k)
          sums_[m][n] += static_cast<float>(vectors_[m][2 * k]) * static_cast<float>(weights_[k][n][0]) +
                         static_cast<float>(vectors_[m][2 * k + 1]) * static_cast<float>(weights_[k][n][1]);
  }
  void load(const void* sums, std::size_t stride) const {
    for (std::size_t m = 0; m < 32; ++m)
      std::memcpy(sums_[m], static_cast<const std::byte*>(sums) + m * stride, sizeof(sums_[m]));
  }
  void store(void* sums, std::size_t stride) const {
    for (std::size_t m = 0; m < 32; ++m)
      std::memcpy(static_cast<std::byte*>(sums) + m * stride, sums_[m], sizeof(sums_[m]));
  }

 private:
  mutable float sums_[32][32];
  mutable c10::BFloat16 vectors_[32][32];
  mutable c10::BFloat16 weights_[16][32][2];
};

class SoftwareWideTiles {
 public:
  SoftwareWideTiles() = default;
  SoftwareWideTiles(const SoftwareWideTiles&) = delete;
  SoftwareWideTiles& operator=(const SoftwareWideTiles&) = delete;

  void clear() const {
    for (auto& row : sums_)
      for (float& sum : row) sum = 0;
  }
  template <int columns>
  void multiply(const void* high, const void* low, const void* weights) const {
    const auto* const w = static_cast<const c10::BFloat16(*)[16][16][2]>(weights);
    for (const void* part : {low, high}) {
      const auto* const x = static_cast<const c10::BFloat16(*)[32]>(part);
      for (std::size_t m = 0; m < 32; ++m)
        for (std::size_t n = 0; n < 16 * columns; ++n)
          for (std::size_t k = 0; k < 32; ++k)
            sums_[m][n] += static_cast<float>(x[m][k]) * static_cast<float>(w[n / 16][k / 2][n % 16][k % 2]);
    }
  }
  void store(float* sums, std::int64_t row_stride) const {
    for (std::int64_t m = 0; m < 32; ++m) std::memcpy(sums + m * row_stride, sums_[m], sizeof(sums_[m]));
  }

 private:
  mutable float sums_[32][48];
};

}  // namespace ladimo::testing
