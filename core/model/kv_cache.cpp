#include "model/kv_cache.h"

#include <algorithm>
#include <string>

#include <ATen/ops/empty.h>

#include "base/error.h"

namespace ladimo {

KvCache::KvCache(const ModelConfig& config, std::int64_t batch, std::int64_t capacity, at::Device device,
                 at::ScalarType dtype)
    : batch_(batch), capacity_(capacity), lengths_(static_cast<std::size_t>(config.layers), 0) {
  const auto make = [&] {
    return at::empty({batch, config.kv_heads, capacity, config.head_dim},
                     at::TensorOptions(dtype).device(device));
  };
  for (std::int64_t l = 0; l < config.layers; ++l) {
    keys_.push_back(make());
    values_.push_back(make());
  }
}

std::pair<at::Tensor, at::Tensor> KvCache::append(std::int64_t layer, const at::Tensor& k,
                                                  const at::Tensor& v) {
  const auto l = static_cast<std::size_t>(layer);
  const std::int64_t start = lengths_[l], width = k.size(2);
  require_room(start, width);
  keys_[l].narrow(2, start, width).copy_(k);
  values_[l].narrow(2, start, width).copy_(v);
  lengths_[l] = start + width;
  return {keys_[l].narrow(2, 0, start + width), values_[l].narrow(2, 0, start + width)};
}

void KvCache::require_room(std::int64_t start, std::int64_t width) const {
  if (start + width > capacity_)
    throw Error("The KV cache contains " + std::to_string(capacity_) + " tokens; " +
                std::to_string(start + width) + " were to be stored.");
}

void KvCache::advance(std::int64_t width) {
  for (std::int64_t& length : lengths_) length += width;
}

void KvCache::clear() {
  std::fill(lengths_.begin(), lengths_.end(), 0);
  expected_ = 0;
}

}  // namespace ladimo
