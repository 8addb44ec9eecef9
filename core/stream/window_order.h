// Which calibration windows are for training and which for validation.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "text/corpus.h"

namespace ladimo {

/// Orders the windows: training first, validation last. Validation takes every n-th window, so that it has
/// the same mix of sources. It has at least four windows (at least one where there are fewer), because the
/// topic of a single window of a short text would decide too much.
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

  /// All windows in this order, the training windows alone, and the validation windows alone.
  Windows all(const Windows& windows) const { return picked_windows(windows, index); }
  Windows fitted(const Windows& windows) const {
    return picked_windows(windows, std::span(index).first(static_cast<std::size_t>(training)));
  }
  Windows judging(const Windows& windows) const {
    return picked_windows(windows, std::span(index).subspan(static_cast<std::size_t>(training)));
  }
};

}  // namespace ladimo
