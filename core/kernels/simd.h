// Arithmetic on sixteen floats at a time. Everything is inlined into the kernels of kernels/variant.inc and
// compiled for their instruction set.
#pragma once

#include <cstdint>
#include <cstring>

#include <c10/util/BFloat16.h>

#define LADIMO_INLINE inline __attribute__((always_inline))

namespace ladimo::simd {

constexpr std::int64_t lanes = 16;

// Takes one register with AVX-512 and several without. Functions fill these values by reference, because the
// way they are passed by value depends on the instruction set.
typedef float Floats __attribute__((vector_size(64)));
// Sixteen bf16 numbers.
typedef std::uint16_t Halves __attribute__((vector_size(32)));

typedef std::uint32_t Words __attribute__((vector_size(64)));

LADIMO_INLINE void load(const float* from, Floats& to) { std::memcpy(&to, from, sizeof(to)); }

LADIMO_INLINE void load(const c10::BFloat16* from, Floats& to) {
  Halves halves;
  std::memcpy(&halves, from, sizeof(halves));
  const Words words = __builtin_convertvector(halves, Words) << 16;
  std::memcpy(&to, &words, sizeof(to));
}

/// Integers of 8 bits as floats. The compiler makes one instruction of the loop; of __builtin_convertvector
/// it makes many.
LADIMO_INLINE void load(const std::int8_t* from, Floats& to) {
  typedef std::int32_t Ints __attribute__((vector_size(64)));
  Ints ints;
  for (std::int64_t i = 0; i < lanes; ++i)
    ints[i] = from[i];  // NOLINT(bugprone-signed-char-misuse): numbers, not characters
  to = __builtin_convertvector(ints, Floats);
}

/// Half-precision numbers (IEEE binary16), which must be finite and not negative.
LADIMO_INLINE void load_halves(const void* from, Floats& to) {
  Halves halves;
  std::memcpy(&halves, from, sizeof(halves));
  const Words words = __builtin_convertvector(halves, Words) << 13;  // where fp32 has exponent and mantissa
  std::memcpy(&to, &words, sizeof(to));
  to *= 0x1p112f;  // the biases of the exponents differ by 127 - 15
}

LADIMO_INLINE void store(const Floats& from, float* to) { std::memcpy(to, &from, sizeof(from)); }

// The first `count` floats of a vector.
LADIMO_INLINE void load_part(const float* from, std::int64_t count, Floats& to) {
  if (count == lanes) return load(from, to);
  to = Floats{};
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
}

LADIMO_INLINE void store_part(const Floats& from, std::int64_t count, float* to) {
  if (count == lanes) return store(from, to);
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
}

// Rounds to the nearest, ties to even, like c10::BFloat16.
LADIMO_INLINE void store(const Floats& from, c10::BFloat16* to) {
  Words words;
  std::memcpy(&words, &from, sizeof(words));
  words = (words + 0x7FFFu + ((words >> 16) & 1u)) >> 16;
  const Words not_a_number = Words{} + 0x7FC0u;
  words = from == from ? words : not_a_number;
  const Halves halves = __builtin_convertvector(words, Halves);
  std::memcpy(to, &halves, sizeof(halves));
}

// Rows i and i + 8 become rows 2 i and 2 i + 1, with their words in turn.
LADIMO_INLINE void interleave(const Words (&from)[lanes], Words (&to)[lanes]) {
#pragma GCC unroll 8
  for (std::int64_t i = 0; i < 8; ++i) {
    to[2 * i] =
        __builtin_shufflevector(from[i], from[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    to[2 * i + 1] = __builtin_shufflevector(from[i], from[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                            29, 14, 30, 15, 31);
  }
}

/// words[i][j] = words[j][i]
LADIMO_INLINE void transpose(Words (&words)[lanes]) {
  Words other[lanes];
  interleave(words, other);
  interleave(other, words);
  interleave(words, other);
  interleave(other, words);
}

/// The sum of the lanes, added in pairs.
LADIMO_INLINE float sum(const Floats& v) {
  typedef float Eight __attribute__((vector_size(32)));
  typedef float Four __attribute__((vector_size(16)));
  Eight low, high;
  std::memcpy(&low, &v, sizeof(low));
  std::memcpy(&high, reinterpret_cast<const char*>(&v) + sizeof(low), sizeof(high));
  low += high;
  Four first, second;
  std::memcpy(&first, &low, sizeof(first));
  std::memcpy(&second, reinterpret_cast<const char*>(&low) + sizeof(first), sizeof(second));
  first += second;
  return (first[0] + first[2]) + (first[1] + first[3]);
}

/// Sets x = exp(x), exact to 2 units in the last place where x is in [-87, 88]. Below that range the result
/// is exp(-87). This is the expf of Cephes: x = n ln 2 + r, a polynomial in r, and n added to the exponent.
LADIMO_INLINE void exponential(Floats& x) {
  typedef std::int32_t Ints __attribute__((vector_size(64)));
  constexpr float magic = 12582912;  // 1.5 * 2^23: adding it rounds to the nearest integer
  const Floats least = Floats{} - 87.0f;
  x = x < least ? least : x;  // NaN passes through
  Floats n = x * 1.44269504088896341f + magic;
  Ints exponent;
  std::memcpy(&exponent, &n, sizeof(n));
  n -= magic;
  const Floats r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Floats y = r * 1.9875691500e-4f + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1.0f;
  Ints bits;
  std::memcpy(&bits, &y, sizeof(y));
  bits += exponent << 23;
  std::memcpy(&x, &bits, sizeof(x));
}

/// Returns the dot product of x and row.
template <class T>
LADIMO_INLINE float dot(const float* x, const T* row, std::int64_t n) {
  Floats total{}, v, w;
  std::int64_t c = 0;
  for (; c + lanes <= n; c += lanes) {
    load(x + c, v);
    load(row + c, w);
    total += v * w;
  }
  float result = sum(total);
  for (; c < n; ++c) result += x[c] * static_cast<float>(row[c]);
  return result;
}

LADIMO_INLINE void copy_row(const float* row, std::int64_t n, float* y) {
  Floats v;
  std::int64_t c = 0;
  for (; c + lanes <= n; c += lanes) {
    load(row + c, v);
    store(v, y + c);
  }
  for (; c < n; ++c) y[c] = row[c];
}

/// y += factor * row
template <class T>
LADIMO_INLINE void add_row(const T* row, float factor, std::int64_t n, float* y) {
  Floats total, w;
  std::int64_t c = 0;
  for (; c + lanes <= n; c += lanes) {
    load(y + c, total);
    load(row + c, w);
    total += factor * w;
    store(total, y + c);
  }
  for (; c < n; ++c) y[c] += factor * static_cast<float>(row[c]);
}

}  // namespace ladimo::simd
