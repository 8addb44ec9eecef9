// The rotary embedding: positions as rotations of queries and keys.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "checkpoint/config.h"

namespace ladimo {

/// The frequencies [rotary_dim / 2] for a text of `length` tokens, with the config's scaling. Only with
/// dynamic and longrope do they depend on the length.
std::vector<float> rotary_frequencies(const ModelConfig& config, std::int64_t length);

/// cos and sin of the rotary embedding in the half-rotation convention of Hugging Face: dimension i turns
/// with dimension i + rotary_dim / 2. The tables grow with the positions that are asked for, because the
/// config may allow millions. Thread-safe.
///
/// With dynamic and longrope the frequencies of all positions follow from the length of the text, as in
/// transformers. A text that is passed at once, or in chunks that KvCache::expect() announced, has those of
/// its whole length. While decoding, the length grows: past the border (`original_positions`) new queries and
/// keys turn with the new frequencies, and the keys in the cache keep theirs. With dynamic that is so at
/// every step past the border, in transformers too. With longrope the border is crossed once; generate() then
/// computes the text again.
class Rotary {
 public:
  struct Tables {
    at::Tensor cos;  // [positions, rotary_dim] fp32, both halves alike
    at::Tensor sin;  // [positions, rotary_dim] fp32, the first half negative: x cos + (x rolled by half) sin
  };

  Rotary(const ModelConfig& config, at::Device device);
  /// Tables of at least `length` positions, for a text of that length. Throws Refusal where the model has
  /// fewer positions.
  Tables upto(std::int64_t length) const;

 private:
  ModelConfig config_;
  at::Device device_;
  struct Grown;
  std::shared_ptr<Grown> grown_;
};

/// Rotates x [B, heads, W, head_dim] at positions start ... start + W - 1. Dimensions from rotary_dim on are
/// kept.
at::Tensor rotate(const at::Tensor& x, const Rotary::Tables& rotary, std::int64_t start);

/// Whether a text that grows from `length` to `length + 1` tokens turns with other frequencies, for good.
bool crosses_border(const ModelConfig& config, std::int64_t length);

}  // namespace ladimo
