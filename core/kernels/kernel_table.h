// One table of kernels per instruction set. The processor decides once which table is used.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include <c10/util/BFloat16.h>

namespace ladimo {

/// The neurons of an FFN. Row j of every matrix belongs to neuron j. T is the stored type, float or
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

/// A row of another model's logits compared with a DenseRow.
struct Divergence {
  double kl;              // KL(dense || model) in nats, >= 0
  double log_normaliser;  // ln of the sum of exp(logits)
  float most;             // largest logit
};

/// Kernels that read weights stored as T and compute in fp32.
template <class T>
struct StoredKernels {
  /// y [d] += sum of down_j silu(gate_j x) (up_j x) over the neurons j = first ... first + count - 1, with x
  /// [d].
  void (*add_neurons)(const NeuronRows<T>& rows, std::int64_t first, std::int64_t count, const float* x,
                      float* y);
  /// y [n] += row [n].
  void (*add_row)(const T* row, std::int64_t n, float* y);
  /// y [D] = sum of softmax(keys q)_j values_j. The caller sets y to zero first. q [D] is already scaled, and
  /// `scores` is scratch memory of size [n].
  void (*attend)(const HeadCache<T>& cache, const float* q, float* scores, float* y);
};

struct KernelTable {
  const char* name;  // name of the instruction set
  StoredKernels<float> fp32;
  StoredKernels<c10::BFloat16> bf16;
  /// p [n] = softmax(z [n]).
  void (*softmax)(const float* z, std::int64_t n, float* p, double* log_normaliser);
  /// Compares logits z [n] with the dense model's. Sets `gradient` [n] to scale (softmax(z) - p). With a
  /// scale of 0 `gradient` is only scratch memory.
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

/// All tables that this processor can run, the best one last.
const std::vector<KernelTable>& usable_kernels();
/// The best of usable_kernels().
const KernelTable& kernels();

}  // namespace ladimo
