// Which neurons static pruning keeps, learned from the whole model.
#pragma once

#include "baselines/baseline.h"

namespace ladimo {

/// Learns a mask over the neurons of all converted layers together, on KL(dense || pruned) of the calibration
/// tokens' next-token distributions, with all weights frozen (as DISP-LLM, arXiv 2410.11988, and LEP do). A
/// neuron has one score. The neurons with the highest scores of the whole model stay, and the others give
/// their mean. The scores begin as the logarithm of each neuron's KL by the Fisher information, and are
/// trained by Adam with a straight-through gradient, for as many passes as our finish makes. The best masks
/// on validation windows are kept.
std::vector<KeptNeurons> learn_kept_neurons(const WeightSource& source, const Recipe& recipe,
                                            const Windows& calibration, const std::vector<double>& targets,
                                            const Context& context);

}  // namespace ladimo
