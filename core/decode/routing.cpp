#include "decode/routing.h"

#include <algorithm>
#include <numeric>

namespace ladimo {

void ExpertTokens::reserve(std::int64_t experts, std::int64_t tokens) {
  const auto e = std::max(static_cast<std::size_t>(experts), count_.size());
  capacity_ = std::max(static_cast<std::size_t>(tokens) + 1, capacity_);  // and what add() may overwrite
  running_.resize(e * capacity_);
  skipping_.resize(e * capacity_);
  count_.resize(e);
  skip_count_.resize(e);
  order_.resize(e);
  on_.resize(e);
}

// Writes to both lists, and counts in one: a branch would be guessed wrong for half of the experts.
void ExpertTokens::add(std::int32_t token, std::size_t expert, bool on) {
  running_[expert * capacity_ + count_[expert]] = token;
  skipping_[expert * capacity_ + skip_count_[expert]] = token;
  const std::size_t runs = on ? 1 : 0;
  count_[expert] += runs;
  skip_count_[expert] += 1 - runs;
}

void ExpertTokens::choose(const float* weights, std::int64_t stride, std::int64_t tokens,
                          std::int64_t experts, const LayerPolicy& policy) {
  const auto n = static_cast<std::size_t>(experts);
  const auto threshold = static_cast<float>(policy.threshold);
  std::fill_n(count_.begin(), n, 0);
  std::fill_n(skip_count_.begin(), n, 0);
  for (std::int32_t t = 0; t < tokens; ++t) {
    const float* const row = weights + t * stride;
    if (policy.kind == LayerPolicy::Kind::threshold) {
      for (std::size_t e = 0; e < n; ++e) add(t, e, row[e] >= threshold);
      continue;
    }
    const auto first = order_.begin();
    const auto k = std::clamp<std::int64_t>(policy.k, 0, experts);
    std::iota(first, first + experts, 0);
    std::partial_sort(first, first + k, first + experts, [row](std::int32_t a, std::int32_t b) {
      return row[a] > row[b] || (row[a] == row[b] && a < b);
    });
    std::fill_n(on_.begin(), n, 0);
    std::for_each(first, first + k, [this](std::int32_t e) { on_[static_cast<std::size_t>(e)] = 1; });
    for (std::size_t e = 0; e < n; ++e) add(t, e, on_[e] != 0);
  }
}

}  // namespace ladimo
