// The training-free opponents that split an FFN into experts and run k of them.
#pragma once

#include "baselines/baseline.h"

namespace ladimo {

/// Deals neurons to experts at random. Uses a linear router for the contribution norms, and compensation for
/// the skipped experts.
FeedForwards make_random(const BaselineTask& task, const std::vector<double>& targets,
                         const Context& context);

/// MoEfication (arXiv 2110.01786): balanced k-means on the rows of the gate projection, and a linear router
/// that regresses every expert's sum of activations.
FeedForwards make_moefication(const BaselineTask& task, const std::vector<double>& targets,
                              const Context& context);

/// CMoE (arXiv 2502.04416). The neurons that are most often among a token's strongest are shared. The others
/// are clustered by the tokens for which they are among the strongest. An expert's score is the activation of
/// the neuron nearest to its centre, so routing costs only the gate and up rows of that neuron.
FeedForwards make_cmoe(const BaselineTask& task, const std::vector<double>& targets, const Context& context);

/// After ExpertWeaver (arXiv 2602.15521), of which only the abstract and reviews are known to us. The marks
/// of CMoE decide how many neurons of a layer are shared: those marked more often than the average neuron, at
/// least 0.2 and at most 0.7 of all. The others are clustered by their marks. The mean gate row of an
/// expert routes to it. It cannot do with less than its shared neurons, whatever the target is.
FeedForwards make_expertweaver(const BaselineTask& task, const std::vector<double>& targets,
                               const Context& context);

}  // namespace ladimo
