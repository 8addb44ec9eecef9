// Static pruning: the same neurons run for every token.
#pragma once

#include "baselines/baseline.h"

namespace ladimo {

/// The number of neurons, with a fraction, that a pruned FFN with a bias of the output has within `target`, a
/// share of the dense FFN's parameters.
double neurons_within(const DenseFfn& ffn, double target);

/// Keeps the neurons of highest Var(h_j) ||W_d[:, j]||^2. The mean output of the others becomes a bias (FLAP,
/// arXiv 2312.11983).
FeedForwards make_static(const BaselineTask& task, const std::vector<double>& targets,
                         const Context& context);

/// Like make_static(), with down projection and bias refitted to the dense output in closed form
/// (convert/refit.h).
FeedForwards make_static_refit(const BaselineTask& task, const std::vector<double>& targets,
                               const Context& context);

/// Keeps the neurons of `task.kept` (baselines/learned_pruning.h), with the mean output of the others as a
/// bias and the down projection refitted.
FeedForwards make_static_learned(const BaselineTask& task, const std::vector<double>& targets,
                                 const Context& context);

}  // namespace ladimo
