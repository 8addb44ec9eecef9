// A bound: what our experts could do, without refit and distillation, with a router that knows everything and
// costs nothing.
#pragma once

#include "baselines/baseline.h"

namespace ladimo {

/// Uses our partition and conditional compensation. An expert runs where its true contribution norm is above
/// a threshold, which is set for the same share of experts in all layers.
FeedForwards make_oracle(const BaselineTask& task, const std::vector<double>& targets,
                         const Context& context);

}  // namespace ladimo
