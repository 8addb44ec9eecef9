// D_l(c) = KL(dense || only layer l under candidate c), measured or estimated (docs/method.md "Stage 2").
#pragma once

#include <array>
#include <vector>

#include "base/context.h"
#include "evaluate/scores.h"
#include "policy/input_cuts.h"
#include "profile/ladder.h"

namespace ladimo {

/// Nats per token, per layer and candidate. Layers without candidates have an empty row.
using Sensitivity = std::vector<std::vector<double>>;
using CandidateTable = std::vector<std::vector<LayerPolicy>>;
/// Per layer and product, by rising threshold from 0 on; without entries where nothing was asked.
using CutTable = std::vector<std::array<std::vector<CutRung>, all_products.size()>>;

/// Measures exactly, with one forward pass from layer l on for every candidate.
Sensitivity measure_sensitivity(const WeightSource& source, const MoeLayers& moe,
                                const CandidateTable& candidates, const Windows& windows,
                                const Context& context);

/// Estimates from one backward pass. Next tokens are sampled from the dense model's own distribution, which
/// makes this a Monte-Carlo estimate of the true Fisher information. g_l(t) is the gradient of the summed
/// log-probability with respect to the FFN's output, delta is the output error, and D_l(c) = 1/2 mean_t
/// (g_l(t) . delta_l,c(t))². Layer inputs are kept, and each layer is recomputed in reverse. `seed`
/// determines the sample.
///
/// The same for single inputs: with u the gradient with respect to the inputs x of a product, leaving out the
/// inputs i changes the log-probability by sum_i u_i x_i, and D = 1/2 mean_t (sum over i left out of u_i
/// x_i)². The products themselves are not computed again. `cuts` holds the thresholds per layer, or is empty.
struct EstimatedSensitivity {
  Sensitivity candidates;
  CutTable cuts;
};
EstimatedSensitivity estimate_sensitivity(const WeightSource& source, const MoeLayers& moe,
                                          const CandidateTable& candidates,
                                          const std::vector<CutThresholds>& cuts, const Windows& windows,
                                          std::uint64_t seed, const Context& context);

/// Spearman's rank correlation over all entries of two tables of the same shape; 0 where one does not vary.
double rank_correlation(const Sensitivity& a, const Sensitivity& b);

}  // namespace ladimo
