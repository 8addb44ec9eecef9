#include "kernels/q8_0.h"

#include <cmath>
#include <cstring>
#include <vector>

#include <ATen/Parallel.h>
#include <c10/util/Half.h>

namespace ladimo::q8_0 {
namespace {

constexpr float most = 127;

void quantise_block(const float* weights, std::int64_t inputs, std::int64_t width, std::byte* block) {
  std::vector<float> inverse(static_cast<std::size_t>(width), 0.0f);  // first the largest magnitudes
  for (std::int64_t i = 0; i < inputs; ++i)
    for (std::int64_t o = 0; o < width; ++o) {
      float& largest = inverse[static_cast<std::size_t>(o)];
      largest = std::max(largest, std::abs(weights[i * width + o]));
    }
  for (std::int64_t o = 0; o < width; ++o) {
    float& value = inverse[static_cast<std::size_t>(o)];
    const float scale = value / most;
    const c10::Half half(scale);
    std::memcpy(block + o * scale_bytes, &half, sizeof half);
    value = half > 0.0f ? 1 / scale : 0;
  }
  auto* integers = reinterpret_cast<std::int8_t*>(block + width * scale_bytes);
  for (std::int64_t i = 0; i < inputs; ++i)
    for (std::int64_t o = 0; o < width; ++o)
      *integers++ =
          static_cast<std::int8_t>(std::round(weights[i * width + o] * inverse[static_cast<std::size_t>(o)]));
}

}  // namespace

void quantise(const float* weights, std::int64_t inputs, std::int64_t width, std::byte* panel) {
  const std::int64_t blocks = (inputs + block_inputs - 1) / block_inputs;
  at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b)
      quantise_block(weights + b * block_inputs * width, std::min(block_inputs, inputs - b * block_inputs),
                     width, panel + b * bytes(block_inputs) * width);
  });
}

}  // namespace ladimo::q8_0
