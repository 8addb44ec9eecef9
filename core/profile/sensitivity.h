// D_l(c) = KL(dense || only layer l under candidate c), measured or estimated (docs/method.md "Stage 2").
#pragma once

#include <vector>

#include "base/context.h"
#include "evaluate/scores.h"

namespace ladimo {

/// Nats per token, per layer and candidate. Layers without candidates have an empty row.
using Sensitivity = std::vector<std::vector<double>>;
using CandidateTable = std::vector<std::vector<LayerPolicy>>;

/// Measures exactly, with one forward pass from layer l on for every candidate.
Sensitivity measure_sensitivity(const WeightSource& source, const MoeLayers& moe,
                                const CandidateTable& candidates, const Windows& windows,
                                const Context& context);

/// Estimates from one backward pass. Next tokens are sampled from the dense model's own distribution, which
/// makes this a Monte-Carlo estimate of the true Fisher information. g_l(t) is the gradient of the summed
/// log-probability with respect to the FFN's output, delta is the output error, and D_l(c) = 1/2 mean_t
/// (g_l(t) . delta_l,c(t))². Layer inputs are kept, and each layer is recomputed in reverse. `seed`
/// determines the sample.
Sensitivity estimate_sensitivity(const WeightSource& source, const MoeLayers& moe,
                                 const CandidateTable& candidates, const Windows& windows, std::uint64_t seed,
                                 const Context& context);

/// Spearman's rank correlation over all entries of two tables of the same shape; 0 where one does not vary.
double rank_correlation(const Sensitivity& a, const Sensitivity& b);

}  // namespace ladimo
