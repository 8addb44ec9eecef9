// A bound: what our experts could do without refit and distillation if a router knew everything and weighed
// nothing.
#pragma once

#include "baselines/baseline.h"

namespace ladimo {

/// Our partition and conditional compensation; an expert runs where its true contribution norm is above a
/// threshold, set for the same share of experts in all layers.
FeedForwards make_oracle(const BaselineTask& task, const std::vector<double>& targets,
                         const Context& context);

}  // namespace ladimo
