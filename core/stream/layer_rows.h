// The rows that one layer is fitted on.
#pragma once

#include <cstdint>

#include "stream/residual_stream.h"
#include "stream/row_store.h"

namespace ladimo {

/// FFN inputs and the dense FFN's outputs on calibration tokens, [T, d] each, read a chunk at a time. Window
/// position 0 is left out: large LLaMA models have activations there that are larger by orders of magnitude
/// and would dominate every fit. The first `training` rows are fitted. The others are validation rows for
/// early stopping and for choices. Copies share their rows.
class LayerRows {
 public:
  LayerRows(RowStore x, RowStore y, std::int64_t training);
  /// Wraps rows that are already in memory. x, y [T, d].
  LayerRows(at::Tensor x, at::Tensor y, std::int64_t training);

  std::int64_t count() const { return count_; }
  std::int64_t training() const { return training_; }
  std::int64_t hidden_size() const { return x_.row_shape()[0]; }
  const at::TensorOptions& options() const { return x_.options(); }

  /// Rows begin ... end - 1 of the FFN's inputs or outputs: [end - begin, d].
  at::Tensor x(std::int64_t begin, std::int64_t end) const { return read(x_, begin, end); }
  at::Tensor y(std::int64_t begin, std::int64_t end) const { return read(y_, begin, end); }
  /// The rows that `index` [n] int64 names: [n, d].
  at::Tensor x(const at::Tensor& index) const { return gather(x_, index); }
  at::Tensor y(const at::Tensor& index) const { return gather(y_, index); }

  /// Subsets: the training rows, the validation rows, and the rows of an index with the number of them that
  /// are for training.
  LayerRows train() const;
  LayerRows validation() const;
  LayerRows picked(const at::Tensor& index, std::int64_t training) const;
  /// At most `training` of the training rows, evenly spread, and all validation rows.
  LayerRows thinned(std::int64_t training) const;

 private:
  at::Tensor read(const RowStore& store, std::int64_t begin, std::int64_t end) const;
  at::Tensor gather(const RowStore& store, const at::Tensor& index) const;

  RowStore x_, y_;
  std::int64_t first_ = 0;
  std::int64_t count_ = 0;
  std::int64_t training_ = 0;
  at::Tensor index_;  // [count] int64 on the CPU, rows of the stores; undefined: the rows from first_ on
};

/// Collects a layer's rows while the residual stream passes through it.
class RowCapture {
 public:
  /// Makes room for `windows` windows of `positions` tokens. The first `training` windows are for training.
  RowCapture(const WeightSource& source, std::int64_t windows, std::int64_t training, std::int64_t positions,
             const Context& context);
  /// Stores x, y [n * positions, d] of the windows from `begin` on.
  void keep(std::int64_t begin, const at::Tensor& x, const at::Tensor& y);
  LayerRows rows() const;

 private:
  std::int64_t positions_, training_;
  RowStore x_, y_;
};

}  // namespace ladimo
