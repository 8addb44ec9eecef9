// LaDiMo's stage 1 as literally as its abstract allows: experts that are trained to imitate the FFN.
#pragma once

#include "baselines/baseline.h"

namespace ladimo {

/// The recipe's number of contiguous experts, initialised from the FFN's neurons in their order; a softmax
/// router whose weights of the k selected experts mix their outputs (scaled so that equal weights give the
/// plain sum). Gate, up, down and router are distilled by mean squared error with Adam, for each target's k
/// by itself, in as many steps as our method takes; the weights of the best epoch on held-back rows are kept.
FeedForwards make_ladimo_plain(const BaselineTask& task, const std::vector<double>& targets,
                               const Context& context);

}  // namespace ladimo
