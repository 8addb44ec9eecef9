// LaDiMo's stage 1 as literally as its abstract allows: experts are trained to imitate the FFN.
#pragma once

#include "baselines/baseline.h"

namespace ladimo {

/// Splits the FFN's neurons in their order into the recipe's number of contiguous experts. A softmax router
/// mixes the outputs of the k selected experts by its weights, scaled so that equal weights give the plain
/// sum. Gate, up, down and router are distilled by mean squared error with Adam, separately for each target's
/// k, in as many steps as our method takes. The weights of the best epoch on held-back rows are kept.
FeedForwards make_ladimo_plain(const BaselineTask& task, const std::vector<double>& targets,
                               const Context& context);

}  // namespace ladimo
