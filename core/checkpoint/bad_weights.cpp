#include <algorithm>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "checkpoint/checkpoint.h"

namespace ladimo {
namespace {

constexpr std::size_t block_bytes = 64 * 1024;  // bytes that are searched without a branch
constexpr std::size_t part_elements = 8 << 20;  // elements between two checks of the cancel flag

// NaN and Inf are the numbers whose exponent bits are all set.
template <class Bits>
std::optional<std::size_t> find_bad(std::span<const std::byte> bytes, Bits exponent) {
  const auto load = [&](std::size_t i) {
    Bits bits;
    std::memcpy(&bits, bytes.data() + i * sizeof bits, sizeof bits);
    return bits;
  };
  const std::size_t count = bytes.size() / sizeof(Bits);
  constexpr std::size_t block = block_bytes / sizeof(Bits);
  for (std::size_t begin = 0; begin < count; begin += block) {
    const std::size_t end = std::min(begin + block, count);
    Bits bad = 0;
    for (std::size_t i = begin; i < end; ++i)
      bad = static_cast<Bits>(bad | static_cast<Bits>((load(i) & exponent) == exponent));
    for (std::size_t i = begin; bad != 0 && i < end; ++i)
      if ((load(i) & exponent) == exponent) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> find_bad(std::span<const std::byte> bytes, DType dtype) {
  switch (dtype) {
    case DType::f32:
      return find_bad<std::uint32_t>(bytes, 0x7f800000u);
    case DType::f16:
      return find_bad<std::uint16_t>(bytes, 0x7c00u);
    case DType::bf16:
      return find_bad<std::uint16_t>(bytes, 0x7f80u);
    default:
      return std::nullopt;
  }
}

std::optional<std::size_t> find_bad(const TensorView& view, Progress& progress) {
  std::optional<std::size_t> found;
  std::vector<std::byte> buffer;
  const std::size_t elements = view.elements();
  for (std::size_t begin = 0; begin < elements; begin += part_elements) {
    const std::size_t count = std::min(part_elements, elements - begin);
    if (!found && dtype_size(view.dtype) > 0)
      if (const auto bad = find_bad(elements_of(view, begin, count, buffer), view.dtype))
        found = begin + *bad;
    release_pages(view.bytes);
    progress.advance(static_cast<std::int64_t>(count));
  }
  return found;
}

}  // namespace

std::vector<Problem> find_bad_weights(const Checkpoint& checkpoint, const Context& context) {
  const auto& tensors = checkpoint.store().tensors();
  std::int64_t total = 0;
  for (const auto& [name, view] : tensors) total += static_cast<std::int64_t>(view.elements());
  Progress progress(context, total);
  std::vector<Problem> problems;
  for (const auto& [name, view] : tensors) {
    if (const auto bad = find_bad(view, progress))
      problems.push_back({fmt::format("Tensor {} contains NaN or Inf; the first is element {} of shape [{}].",
                                      view.name, *bad, fmt::join(view.shape, ", ")),
                          "The training or the conversion of this checkpoint went wrong; download it again.",
                          view.file});
  }
  return problems;
}

}  // namespace ladimo
