// Weights in blocks as ggml's Q8_0 has them: 32 inputs of one output share a scale in half precision, and
// each is an integer of 8 bits times that scale, 1.0625 bytes a weight. In a panel [inputs, width] a block of
// all outputs lies together: `width` scales, then 32 rows of `width` integers. So a panel is read from
// beginning to end, and any run of its inputs alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace ladimo::q8_0 {

constexpr std::int64_t block_inputs = 32;
constexpr std::int64_t scale_bytes = 2;

/// Bytes that `inputs` inputs of one output take. The last block may be a short one.
constexpr std::int64_t bytes(std::int64_t inputs) {
  return inputs + (inputs + block_inputs - 1) / block_inputs * scale_bytes;
}

/// The scales [width] of the block that an input is in.
inline const std::byte* scales(const std::byte* panel, std::int64_t width, std::int64_t input) {
  return panel + input / block_inputs * bytes(block_inputs) * width;
}

/// The integers [width] of an input.
inline const std::byte* row(const std::byte* panel, std::int64_t width, std::int64_t input) {
  return scales(panel, width, input) + (scale_bytes + input % block_inputs) * width;
}

/// The end of the block that an input is in, or `stop` where that is less.
inline std::int64_t block_end(std::int64_t input, std::int64_t stop) {
  return std::min((input / block_inputs + 1) * block_inputs, stop);
}

/// Rounds a panel of weights [inputs, width] to blocks. The weights become those that ggml makes of them: the
/// scale is the largest magnitude of a block over 127, and integers are rounded to the nearest, halves away
/// from zero. Weights that come from Q8_0 stay as they are. `panel` has room for width * bytes(inputs).
void quantise(const float* weights, std::int64_t inputs, std::int64_t width, std::byte* panel);

}  // namespace ladimo::q8_0
