// The training-free opponents that split an FFN into experts and run k of them.
#pragma once

#include "baselines/baseline.h"

namespace ladimo {

/// Neurons dealt at random; a linear router for the contribution norms; compensation for the skipped experts.
FeedForwards make_random(const BaselineTask& task, const std::vector<double>& targets,
                         const Context& context);

/// MoEfication (arXiv 2110.01786): balanced k-means on the rows of the gate projection; a linear router that
/// regresses every expert's sum of activations.
FeedForwards make_moefication(const BaselineTask& task, const std::vector<double>& targets,
                              const Context& context);

/// CMoE (arXiv 2502.04416): the neurons that are most often among a token's strongest are shared; the others
/// are clustered by when they are; an expert's score is the activation of the neuron nearest to its centre,
/// whose gate and up rows are all that routing costs.
FeedForwards make_cmoe(const BaselineTask& task, const std::vector<double>& targets, const Context& context);

}  // namespace ladimo
