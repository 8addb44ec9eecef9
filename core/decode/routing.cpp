#include "decode/routing.h"

#include <algorithm>
#include <numeric>

namespace ladimo {

void ExpertTokens::reserve(std::int64_t experts, std::int64_t tokens) {
  const auto e = std::max(static_cast<std::size_t>(experts), count_.size());
  capacity_ = std::max(static_cast<std::size_t>(tokens), capacity_);
  running_.resize(e * capacity_);
  skipping_.resize(e * capacity_);
  count_.resize(e);
  skip_count_.resize(e);
  order_.resize(e);
  on_.resize(e);
}

void ExpertTokens::choose(const float* weights, std::int64_t stride, std::int64_t tokens,
                          std::int64_t experts, const LayerPolicy& policy) {
  const auto n = static_cast<std::size_t>(experts);
  const auto threshold = static_cast<float>(policy.threshold);
  std::fill_n(count_.begin(), n, 0);
  std::fill_n(skip_count_.begin(), n, 0);
  for (std::int64_t t = 0; t < tokens; ++t) {
    const float* const row = weights + t * stride;
    if (policy.kind == LayerPolicy::Kind::threshold) {
      for (std::size_t e = 0; e < n; ++e) on_[e] = row[e] >= threshold;
    } else {
      const auto first = order_.begin();
      const auto k = std::clamp<std::int64_t>(policy.k, 0, experts);
      std::iota(first, first + experts, 0);
      std::partial_sort(first, first + k, first + experts, [row](std::int32_t a, std::int32_t b) {
        return row[a] > row[b] || (row[a] == row[b] && a < b);
      });
      std::fill_n(on_.begin(), n, 0);
      std::for_each(first, first + k, [this](std::int32_t e) { on_[static_cast<std::size_t>(e)] = 1; });
    }
    for (std::size_t e = 0; e < n; ++e) {
      auto& lists = on_[e] ? running_ : skipping_;
      auto& count = on_[e] ? count_[e] : skip_count_[e];
      lists[e * capacity_ + static_cast<std::size_t>(count++)] = static_cast<std::int32_t>(t);
    }
  }
}

}  // namespace ladimo
