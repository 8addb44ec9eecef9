// One table of kernels per instruction set. The processor decides once which table is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <c10/util/BFloat16.h>

namespace ladimo {

/// How many parts of `size` hold `count`.
constexpr std::int64_t parts_of(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

/// Some rows of a matrix that is stored input by input: row i holds what input first + i adds to `width`
/// outputs. T is the stored type, float or c10::BFloat16. Up to 15 elements after the last row are read too.
template <class T>
struct PanelRows {
  const T* data;
  std::int64_t first, count;   // inputs
  std::int64_t width, stride;  // elements of a row that are used, at most widest_panel, and from row to row
  const T* next;               // what is read after these rows; asked for in advance
};

/// Rows of a matrix as WideMatrix (kernels/wide_matrix.h) has them.
template <class T>
struct WideRows {
  const T* data;        // the row of input 0
  std::int64_t stride;  // elements of a row, a multiple of 16, all of which are used
  std::int64_t count;   // of the rows that are read
};

/// Some rows of a panel that lies in blocks of Q8_0 (kernels/q8_0.h). Up to 15 scales and 15 weights after
/// those of a row are read too.
struct BlockRows {
  const std::byte* panel;     // its first block
  std::int64_t first, count;  // inputs, at least one
  std::int64_t width;         // outputs of the panel, at most widest_panel
  const void* next;           // what is read after these rows; asked for in advance
};

/// 32 inputs of 32 vectors. A number is the sum of two bf16 numbers, exact to 2^-17 of it; an infinity
/// and a NaN become a NaN. A word has inputs i and i + 16, i < 16. A row that is not used keeps the tiles of
/// one vector out of each other's sets in the cache.
constexpr std::int64_t tile_size = 32;
constexpr std::int64_t tiles_of(std::int64_t count) { return parts_of(count, tile_size); }
struct VectorTile {
  alignas(64) std::uint32_t high[tile_size + 1][tile_size / 2], low[tile_size + 1][tile_size / 2];
};

/// Outputs of one panel: their sums stay in registers.
constexpr std::int64_t widest_panel = 96;

/// Keys and values of one head of one sequence.
template <class T>
struct HeadCache {
  const T *keys, *values;  // [n, D], rows `key_stride` and `value_stride` elements apart
  std::int64_t n, head_dim, key_stride, value_stride;
};

/// Queries over the keys of one head, and the part of the keys that each of them sees.
struct QueryBlock {
  const float* const* q;            // [rows] already scaled, [D]
  const std::int64_t *begin, *end;  // [rows] begin < end
  float* const* y;                  // [rows] results, [D]
  std::int64_t rows;
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

/// How far a step of Adam goes. `rate` includes the correction of the moments' bias.
struct AdamStep {
  float beta1, beta2, rate;
};

/// Kernels that read numbers stored as T and compute in fp32.
template <class T>
struct StoredKernels {
  /// y_t [width] += sum over i of x_t[first + i] rows[i], for every vector t < tokens.
  void (*multiply)(const PanelRows<T>& rows, const float* const* x, float* const* y, std::int64_t tokens);
  /// The same for many vectors: faster from about 16 on.
  void (*multiply_many)(const PanelRows<T>& rows, const float* const* x, float* const* y,
                        std::int64_t tokens);
  /// y [width] += sum over i of x[inputs[i]] panel[inputs[i]], i < rows.count, for one vector. `rows` are
  /// those of the whole panel, of which only the inputs that rise in `inputs` [rows.count] are read; `first`
  /// is not used. To the bit what multiply() makes of x with zeros in all other places.
  void (*multiply_chosen)(const PanelRows<T>& rows, const std::int32_t* inputs, const float* x, float* y);
  /// y [stride] += sum over i of x[inputs[i]] row[inputs[i]], i < rows.count, for one vector. `inputs` rise.
  void (*add_rows)(const WideRows<T>& rows, const std::int32_t* inputs, const float* x, float* y);
  /// y [D] = sum of softmax(keys q)_j values_j. The caller sets y to zero first. q [D] is already scaled, and
  /// `scores` is scratch memory of size [n].
  void (*attend)(const HeadCache<T>& cache, const float* q, float* scores, float* y);
  /// y [n] = silu(gate) * up. `y` may be `gate`. Shazeer, arXiv 2002.05202.
  void (*swiglu)(const T* gate, const T* up, std::int64_t n, T* y);
  /// Replaces gate [n] and up [n] by the gradients with respect to them, given the one with respect to
  /// silu(gate) * up, dh [n].
  void (*swiglu_gradient)(T* gate, T* up, const T* dh, std::int64_t n);
  /// y [n] = x [n], in fp32.
  void (*widen)(const T* x, std::int64_t n, float* y);
  /// y [n] = x [n], rounded to T.
  void (*round)(const float* x, std::int64_t n, T* y);
};

/// Kernels that read blocks of Q8_0 and compute in fp32.
struct BlockKernels {
  /// As StoredKernels::multiply, to the bit what it makes of the same weights in fp32.
  void (*multiply)(const BlockRows& rows, const float* const* x, float* const* y, std::int64_t tokens);
  /// The same, with the same results, for many vectors: faster from about 16 on.
  void (*multiply_many)(const BlockRows& rows, const float* const* x, float* const* y, std::int64_t tokens);
  /// As StoredKernels::multiply_chosen.
  void (*multiply_chosen)(const BlockRows& rows, const std::int32_t* inputs, const float* x, float* y);
  /// y [count, width] = the weights in fp32, exactly.
  void (*widen)(const BlockRows& rows, float* y);
};

/// Kernels that multiply with matrix registers. All are null if there are none.
struct TileKernels {
  /// Splits a vector x [n] into row `row` of the tiles `to` [tiles_of(n)].
  void (*split)(const float* x, std::int64_t n, std::int64_t row, VectorTile* to);
  /// y_t [width] = sum over i of x[tokens[t]][i] rows[i], t < count. `x` are the tiles of whole vectors
  /// [rows.count], those of 32 vectors after those of the 32 before; `tokens` rise. `rows.first` is not
  /// used, and no size is zero. What a tile holds where it has no vector does not matter. Faster than
  /// StoredKernels::multiply_many from about 16 vectors on.
  void (*multiply)(const PanelRows<c10::BFloat16>& rows, const VectorTile* x, const std::int32_t* tokens,
                   float* const* y, std::int64_t count);
  /// y_r [D] = sum over the keys j that query r sees of softmax(keys q_r)_j values_j. D is a multiple of 16.
  /// `room` [attend_room(n, D)] is scratch memory that is aligned to a cache line.
  void (*attend)(const HeadCache<c10::BFloat16>& cache, const QueryBlock& queries, std::byte* room);
  std::size_t (*attend_room)(std::int64_t n, std::int64_t head_dim);
};

struct KernelTable {
  const char* name;  // name of the instruction set
  StoredKernels<float> fp32;
  StoredKernels<c10::BFloat16> bf16;
  BlockKernels q8_0;
  TileKernels tiles;
  /// y [n] = x / rms(x) * weight. `y` may be `x`. Zhang & Sennrich, arXiv 1910.07467.
  void (*rms_norm)(const float* x, const float* weight, std::int64_t n, float eps, float* y);
  /// y_t [n] = silu(gate_t [n]) * up_t [n], t < count. up_t follows gate_t.
  void (*swiglu_rows)(const float* const* gate, std::int64_t count, std::int64_t n, float* const* y);
  /// y [n] = silu(x). `y` may be `x`.
  void (*silu)(const float* x, std::int64_t n, float* y);
  /// Rotates one head in place: dimension i with dimension i + half, i < half. cos and sin [2 half] as in
  /// model/rotary.h.
  void (*rotate)(float* x, const float* cos, const float* sin, std::int64_t half);
  /// Writes the numbers i of begin ... end - 1 with |x[i]| >= limits[i] to `inputs`, rising, and returns how
  /// many they are. There is room for end - begin.
  std::int64_t (*choose)(const float* x, const float* limits, std::int64_t begin, std::int64_t end,
                         std::int32_t* inputs);
  /// y [n] = x [n] where |x| >= limits [n], else 0. Returns how many stay. `y` may be `x`.
  std::int64_t (*clear_small)(const float* x, const float* limits, std::int64_t n, float* y);
  /// y [n] += factor * x [n].
  void (*add_scaled)(const float* x, float factor, std::int64_t n, float* y);
  /// One step of Adam on n weights and their moments. Kingma and Ba 2015. Returns the sum of gradient times
  /// change: what the step adds to the loss, to first order.
  double (*adam)(const float* gradient, const AdamStep& step, std::int64_t n, float* first, float* second,
                 float* weight);
  /// p [n] = softmax(z [n]). `p` may be `z`.
  void (*softmax)(const float* z, std::int64_t n, float* p, double* log_normaliser);
  /// Compares logits z [n] with the dense model's. Sets `gradient` [n] to scale (softmax(z) - p). With a
  /// scale of 0 `gradient` is only scratch memory.
  void (*diverge)(const DenseRow& dense, const float* z, std::int64_t n, float scale, float* gradient,
                  Divergence* row);

  /// The sum of x [n], which takes as long as reading it: the limit of everything that reads weights.
  float (*sum)(const float* x, std::int64_t n);

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
