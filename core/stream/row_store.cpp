#include "stream/row_store.h"

#include <utility>

#include <ATen/ATen.h>

namespace ladimo {

RowStore::RowStore(std::int64_t count, std::vector<std::int64_t> row, at::TensorOptions compute,
                   at::ScalarType stored, MemoryBudget memory)
    : count_(count), row_(std::move(row)), compute_(compute), stored_(stored) {
  room_ = memory.take(bytes());
  if (room_)
    rows_ = std::make_shared<at::Tensor>(at::empty(shape_of(count), compute.dtype(stored)));
  else
    file_ = std::make_shared<ScratchFile>(memory.scratch());
}

RowStore::RowStore(at::Tensor rows)
    : count_(rows.size(0)),
      row_(rows.sizes().slice(1).vec()),
      compute_(rows.options()),
      stored_(rows.scalar_type()),
      rows_(std::make_shared<at::Tensor>(std::move(rows))) {}

std::uint64_t RowStore::row_bytes() const {
  std::uint64_t bytes = at::elementSize(stored_);
  for (const auto size : row_) bytes *= static_cast<std::uint64_t>(size);
  return bytes;
}

std::uint64_t RowStore::bytes() const { return static_cast<std::uint64_t>(count_) * row_bytes(); }

std::vector<std::int64_t> RowStore::shape_of(std::int64_t count) const {
  std::vector<std::int64_t> shape = {count};
  shape.insert(shape.end(), row_.begin(), row_.end());
  return shape;
}

at::Tensor RowStore::from_file(std::int64_t begin, std::int64_t count) const {
  const auto rows = at::empty(shape_of(count), at::TensorOptions(stored_));
  file_->read(static_cast<std::uint64_t>(begin) * row_bytes(), rows.data_ptr(), rows.nbytes());
  return rows;
}

at::Tensor RowStore::read(std::int64_t begin, std::int64_t end) const {
  return (file_ ? from_file(begin, end - begin) : rows_->slice(0, begin, end)).to(compute_);
}

at::Tensor RowStore::gather(const at::Tensor& index) const {
  if (!file_) return rows_->index_select(0, index.to(rows_->device())).to(compute_);
  const auto picked = index.to(at::kCPU).contiguous();
  const auto* place = picked.data_ptr<std::int64_t>();
  const auto rows = at::empty(shape_of(picked.numel()), at::TensorOptions(stored_));
  auto* to = static_cast<char*>(rows.data_ptr());
  for (std::int64_t i = 0; i < picked.numel(); ++i)
    file_->read(static_cast<std::uint64_t>(place[i]) * row_bytes(),
                to + static_cast<std::uint64_t>(i) * row_bytes(), row_bytes());
  return rows.to(compute_);
}

void RowStore::write(std::int64_t begin, const at::Tensor& rows) {
  if (file_) {
    const auto bytes = rows.to(at::TensorOptions(stored_)).contiguous();
    file_->write(static_cast<std::uint64_t>(begin) * row_bytes(), bytes.data_ptr(), bytes.nbytes());
  } else if (rows.size(0) == count_ && rows.scalar_type() == stored_) {
    *rows_ = rows;
  } else {
    rows_->slice(0, begin, begin + rows.size(0)).copy_(rows);
  }
}

}  // namespace ladimo
