// What the neurons of an FFN add to its output for one token.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/kernel_table.h"
#include "kernels/simd.h"

namespace ladimo::body {

template <class T>
LADIMO_INLINE float bias(const T* biases, std::int64_t row) {
  return biases != nullptr ? static_cast<float>(biases[row]) : 0.0f;
}

// Returns the activation h of one neuron.
template <class T>
LADIMO_INLINE float neuron(const NeuronRows<T>& rows, std::int64_t row, const float* x) {
  const float g = simd::dot(x, rows.gate + row * rows.d, rows.d) + bias(rows.gate_bias, row);
  const float u = simd::dot(x, rows.up + row * rows.d, rows.d) + bias(rows.up_bias, row);
  return g / (1 + std::exp(-g)) * u;
}

template <class T>
LADIMO_INLINE void add_neurons(const NeuronRows<T>& rows, std::int64_t first, std::int64_t count,
                               const float* x, float* y) {
  for (std::int64_t row = first; row < first + count; ++row)
    simd::add_row(rows.down + row * rows.d, neuron(rows, row, x), rows.d, y);
}

}  // namespace ladimo::body
