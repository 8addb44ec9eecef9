// The closed-form part of the distillation: down projection and compensation refitted to the dense output for
// several thresholds at once.
#pragma once

#include <vector>

#include "base/context.h"
#include "convert/contributions.h"

namespace ladimo {

/// With A = [masked h, 1 - mask] and W0 = [down; compensation]: W = W0 + (AᵀA + Λ)⁻¹ Aᵀ (Y - A W0), the
/// normal equations summed over the thresholds, each weighted by the inverse of `errors`; Λ diagonal, Λ_j =
/// ridge * max((AᵀA)_jj, median of the diagonal). Returns the weights with down and compensation replaced.
MoeWeights refit(const MoeWeights& weights, const LayerRows& rows, const at::Tensor& routing_weights,
                 const std::vector<double>& thresholds, const std::vector<double>& errors, double ridge,
                 const Context& context);

}  // namespace ladimo
