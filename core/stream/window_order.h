// Which calibration windows are fitted and which only judge.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

namespace ladimo {

/// Windows in the order training first, validation last; validation takes every n-th window, so that it has
/// the same mix of sources. At least four windows judge (one where there are fewer than eight): a single one
/// of a short text would decide by what it happens to be about.
struct WindowOrder {
  at::Tensor index;  // [count] int64
  std::int64_t training = 0;

  WindowOrder(std::int64_t count, double validation_share) {
    const auto every =
        std::max<std::int64_t>(2, std::min<std::int64_t>(std::lround(1 / validation_share), count / 4));
    std::vector<std::int64_t> order, validation;
    for (std::int64_t w = 0; w < count; ++w) (w % every == every - 1 ? validation : order).push_back(w);
    if (validation.empty()) validation.push_back(order.back()), order.pop_back();
    training = static_cast<std::int64_t>(order.size());
    order.insert(order.end(), validation.begin(), validation.end());
    index = at::tensor(order);
  }
};

}  // namespace ladimo
