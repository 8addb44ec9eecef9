// The kernels in one table per instruction set. Which of them runs is decided once, by what the processor
// has.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include <c10/util/BFloat16.h>

namespace ladimo {

/// The neurons of an FFN: row j of every matrix belongs to neuron j. T is how they are stored: float or
/// c10::BFloat16.
template <class T>
struct NeuronRows {
  const T *gate, *up, *down;     // [f, d]
  const T *gate_bias, *up_bias;  // [f], null: none
  std::int64_t d;
};

/// Keys and values of one head of one sequence.
template <class T>
struct HeadCache {
  const T *keys, *values;  // [n, D], rows `key_stride` and `value_stride` elements apart
  std::int64_t n, head_dim, key_stride, value_stride;
};

/// The dense model's distribution for one token.
struct DenseRow {
  const float *logits, *p;  // [n]
  double log_normaliser;    // ln of the sum of exp(logits)
};

/// What a row of another model's logits says beside a DenseRow.
struct Divergence {
  double kl;              // KL(dense || model) in nats, >= 0
  double log_normaliser;  // ln of the sum of exp(logits)
  float most;             // the largest logit
};

/// Kernels that read what is stored as T. They compute in fp32.
template <class T>
struct StoredKernels {
  /// y [d] += sum of down_j silu(gate_j x) (up_j x) over the neurons j = first ... first + count - 1. x [d].
  void (*add_neurons)(const NeuronRows<T>& rows, std::int64_t first, std::int64_t count, const float* x,
                      float* y);
  /// y [n] += row [n].
  void (*add_row)(const T* row, std::int64_t n, float* y);
  /// y [D] = sum of softmax(keys q)_j values_j, where y is zero before. q [D] is already scaled; `scores` is
  /// room for [n].
  void (*attend)(const HeadCache<T>& cache, const float* q, float* scores, float* y);
};

struct KernelTable {
  const char* name;  // of the instruction set
  StoredKernels<float> fp32;
  StoredKernels<c10::BFloat16> bf16;
  /// p [n] = softmax(z [n]).
  void (*softmax)(const float* z, std::int64_t n, float* p, double* log_normaliser);
  /// Logits z [n] beside the dense model's. `gradient` [n] = scale (softmax(z) - p); with a scale of 0 it is
  /// scratch.
  void (*diverge)(const DenseRow& dense, const float* z, std::int64_t n, float scale, float* gradient,
                  Divergence* row);

  template <class T>
  const StoredKernels<T>& of() const {
    if constexpr (std::is_same_v<T, float>)
      return fp32;
    else
      return bf16;
  }
};

/// All that this processor can run, the best last.
const std::vector<KernelTable>& usable_kernels();
/// The best.
const KernelTable& kernels();

}  // namespace ladimo
