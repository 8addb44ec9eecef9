// Many rows of one shape, in memory, on a device, or in a scratch file when memory has no room for them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "base/memory_budget.h"

namespace ladimo {

/// Rows that are written and read a few at a time. Copies share their rows. Reading is thread-safe; so is
/// writing different rows.
class RowStore {
 public:
  RowStore() = default;
  /// Room for `count` rows of shape `row`, uninitialised. Rows are read in the dtype and on the device of
  /// `compute`, and kept as `stored` (fp32 or bf16). When the disk is full, write() throws Error.
  RowStore(std::int64_t count, std::vector<std::int64_t> row, at::TensorOptions compute,
           at::ScalarType stored, MemoryBudget memory);
  /// Wraps existing rows [count, ...], which stay in memory as they are.
  explicit RowStore(at::Tensor rows);

  std::int64_t count() const { return count_; }
  /// The shape of one row; empty for a single number.
  const std::vector<std::int64_t>& row_shape() const { return row_; }
  const at::TensorOptions& options() const { return compute_; }
  bool spilled() const { return file_ != nullptr; }
  /// Bytes that all rows take where they are kept.
  std::uint64_t bytes() const;

  /// Rows begin ... end - 1: [end - begin, ...]. Returns a view where the rows are in memory in the right
  /// dtype.
  at::Tensor read(std::int64_t begin, std::int64_t end) const;
  /// The rows that `index` [n] int64 names: [n, ...].
  at::Tensor gather(const at::Tensor& index) const;
  /// Replaces the rows from `begin` on. When all rows in memory are replaced, the given tensor itself is
  /// kept, so that a gradient can flow through it.
  void write(std::int64_t begin, const at::Tensor& rows);

 private:
  std::uint64_t row_bytes() const;
  at::Tensor from_file(std::int64_t begin, std::int64_t count) const;
  std::vector<std::int64_t> shape_of(std::int64_t count) const;

  std::int64_t count_ = 0;
  std::vector<std::int64_t> row_;
  at::TensorOptions compute_;
  at::ScalarType stored_ = at::kFloat;
  std::shared_ptr<at::Tensor> rows_;   // [count, ...]; null where spilled
  std::shared_ptr<ScratchFile> file_;  // null where in memory
  std::shared_ptr<const void> room_;   // the part of the memory budget that the rows take
};

}  // namespace ladimo
