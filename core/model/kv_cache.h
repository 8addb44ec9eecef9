// Keys and values of the tokens so far.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "checkpoint/config.h"

namespace ladimo {

/// Preallocated for `batch` sequences of equal length, up to `capacity` tokens each.
class KvCache {
 public:
  KvCache(const ModelConfig& config, std::int64_t batch, std::int64_t capacity, at::Device device,
          at::ScalarType dtype);

  std::int64_t batch() const { return batch_; }
  std::int64_t capacity() const { return capacity_; }
  /// Tokens stored for `layer`.
  std::int64_t length(std::int64_t layer) const { return lengths_[static_cast<std::size_t>(layer)]; }
  /// Appends k, v [B, kv_heads, W, head_dim] and returns all keys and values so far. Throws Error when the
  /// capacity is exceeded.
  std::pair<at::Tensor, at::Tensor> append(std::int64_t layer, const at::Tensor& k, const at::Tensor& v);
  /// Tokens stored for all layers, between two walks through them.
  std::int64_t length() const { return lengths_.empty() ? 0 : lengths_.front(); }
  /// The memory of a layer's keys and of its values [B, kv_heads, capacity, head_dim], for a caller that
  /// writes the next tokens there itself and then calls advance().
  const at::Tensor& keys(std::size_t layer) const { return keys_[layer]; }
  const at::Tensor& values(std::size_t layer) const { return values_[layer]; }
  /// Throws Error where `width` more tokens would exceed the capacity.
  void require_room(std::int64_t width) const { require_room(length(), width); }
  /// Counts `width` more tokens in every layer.
  void advance(std::int64_t width);
  /// Announces that the cached text and the next chunks together have `length` tokens. Where frequencies
  /// follow from the length of the text, all of them turn with those of `length`.
  void expect(std::int64_t length) { expected_ = length; }
  /// The length of a text of which `length` tokens are known, as far as expect() announced more.
  std::int64_t expected(std::int64_t length) const { return std::max(length, expected_); }
  /// Forgets all tokens but keeps the memory.
  void clear();

 private:
  void require_room(std::int64_t start, std::int64_t width) const;

  std::int64_t batch_, capacity_;
  std::int64_t expected_ = 0;
  std::vector<at::Tensor> keys_, values_;  // per layer [B, kv_heads, capacity, head_dim]
  std::vector<std::int64_t> lengths_;
};

}  // namespace ladimo
