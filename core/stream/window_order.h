// Which calibration windows are fitted and which only judge.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "text/corpus.h"

namespace ladimo {

/// Windows in the order training first, validation last; validation takes every n-th window, so that it has
/// the same mix of sources. At least four windows judge (one where there are fewer than eight): a single one
/// of a short text would decide by what it happens to be about.
struct WindowOrder {
  std::vector<std::int64_t> index;
  std::int64_t training = 0;

  WindowOrder(std::int64_t count, double validation_share) {
    const auto every =
        std::max<std::int64_t>(2, std::min<std::int64_t>(std::lround(1 / validation_share), count / 4));
    std::vector<std::int64_t> validation;
    for (std::int64_t w = 0; w < count; ++w) (w % every == every - 1 ? validation : index).push_back(w);
    if (validation.empty()) validation.push_back(index.back()), index.pop_back();
    training = static_cast<std::int64_t>(index.size());
    index.insert(index.end(), validation.begin(), validation.end());
  }

  /// All windows in this order; those that are fitted; those that judge.
  Windows all(const Windows& windows) const { return picked_windows(windows, index); }
  Windows fitted(const Windows& windows) const {
    return picked_windows(windows, std::span(index).first(static_cast<std::size_t>(training)));
  }
  Windows judging(const Windows& windows) const {
    return picked_windows(windows, std::span(index).subspan(static_cast<std::size_t>(training)));
  }
};

}  // namespace ladimo
