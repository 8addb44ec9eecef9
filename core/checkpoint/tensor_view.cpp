#include "checkpoint/tensor_view.h"

#include <algorithm>
#include <cstring>

#include "checkpoint/float_bits.h"

namespace ladimo {
namespace {

struct DTypeRow {
  const char* text;
  DType dtype;
  std::size_t bytes;
};

constexpr DTypeRow dtypes[] = {{"F32", DType::f32, 4}, {"F16", DType::f16, 2}, {"BF16", DType::bf16, 2},
                               {"I64", DType::i64, 8}, {"I32", DType::i32, 4}, {"U8", DType::u8, 1}};

constexpr std::size_t decoded_at_once = 4096;  // elements; a multiple of every block

std::size_t columns_of(const TensorView& view) {
  std::size_t columns = 1;
  for (std::size_t i = 1; i < view.shape.size(); ++i) columns *= static_cast<std::size_t>(view.shape[i]);
  return columns;
}

/// Where row `row` lies in the file. GGUF puts the row i of a head's second half behind row i of its first.
std::size_t stored_row(const TensorView& view, std::size_t row) {
  const auto height = static_cast<std::size_t>(view.shape.front() / view.interleaved_heads);
  const std::size_t half = height / 2, in_head = row % height;
  return row - in_head + in_head % half * 2 + in_head / half;
}

void store(DType dtype, const float* values, std::size_t count, std::byte* out) {
  if (dtype == DType::f32) {
    std::memcpy(out, values, count * sizeof *values);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint16_t bits = dtype == DType::bf16 ? nearest_bfloat(values[i]) : nearest_half(values[i]);
    std::memcpy(out + i * sizeof bits, &bits, sizeof bits);
  }
}

/// Reads elements that lie one after the other in the file.
void read_run(const TensorView& view, std::size_t first, std::span<std::byte> out) {
  const std::size_t size = dtype_size(view.dtype);
  if (view.stored == nullptr) {
    if (!out.empty()) std::memcpy(out.data(), view.bytes.data() + first * size, out.size());
    return;
  }
  const GgmlType& type = *view.stored;
  float values[decoded_at_once];
  for (std::size_t at = first, end = first + out.size() / size; at < end;) {
    const std::size_t block = at / type.block_elements, skipped = at % type.block_elements;
    const std::size_t blocks = std::min(decoded_at_once / type.block_elements,
                                        (end - at + skipped + type.block_elements - 1) / type.block_elements);
    dequantise(type, view.bytes.subspan(block * type.block_bytes, blocks * type.block_bytes),
               {values, blocks * type.block_elements});
    const std::size_t count = std::min(end - at, blocks * type.block_elements - skipped);
    store(view.dtype, values + skipped, count, out.data() + (at - first) * size);
    at += count;
  }
}

}  // namespace

std::size_t dtype_size(DType dtype) {
  for (const DTypeRow& row : dtypes)
    if (row.dtype == dtype) return row.bytes;
  return 0;
}

const char* dtype_name(DType dtype) {
  for (const DTypeRow& row : dtypes)
    if (row.dtype == dtype) return row.text;
  return "other";
}

std::size_t TensorView::elements() const {
  return stored != nullptr ? bytes.size() / stored->block_bytes * stored->block_elements
                           : bytes.size() / std::max<std::size_t>(dtype_size(dtype), 1);
}

void read_elements(const TensorView& view, std::size_t first, std::span<std::byte> out) {
  if (view.interleaved_heads == 0) return read_run(view, first, out);
  const std::size_t size = dtype_size(view.dtype), columns = columns_of(view);
  while (!out.empty()) {
    const std::size_t row = first / columns, column = first % columns;
    const std::size_t count = std::min(columns - column, out.size() / size);
    read_run(view, stored_row(view, row) * columns + column, out.first(count * size));
    out = out.subspan(count * size);
    first += count;
  }
}

std::span<const std::byte> elements_of(const TensorView& view, std::size_t first, std::size_t count,
                                       std::vector<std::byte>& buffer) {
  const std::size_t size = dtype_size(view.dtype);
  if (view.lies_plain()) return view.bytes.subspan(first * size, count * size);
  buffer.resize(count * size);
  read_elements(view, first, buffer);
  return buffer;
}

}  // namespace ladimo
