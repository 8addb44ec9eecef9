// Leaving out small inputs and neurons of a dense FFN, without any training.
#pragma once

#include "baselines/baseline.h"

namespace ladimo {

/// TEAL (arXiv 2408.14690): inputs of gate and up and neurons are left out where they are small, with one
/// threshold for each. Of the pairs of thresholds that meet the target, a layer gets the one of least output
/// error. (TEAL finds it greedily, product by product; with two products the pairs can all be tried.)
FeedForwards make_teal(const BaselineTask& task, const std::vector<double>& targets, const Context& context);

/// The same with one share for both.
FeedForwards make_teal_uniform(const BaselineTask& task, const std::vector<double>& targets,
                               const Context& context);

}  // namespace ladimo
