// The closed-form part of the distillation. Down projection and compensation are refitted to the dense output
// for several thresholds at once.
#pragma once

#include <vector>

#include "base/context.h"
#include "convert/contributions.h"

namespace ladimo {

/// Returns the weights with a new down projection and compensation. With A = [masked h, 1 - mask] and W0 =
/// [down; compensation]: W = W0 + (AᵀA + Λ)⁻¹ Aᵀ (Y - A W0). The normal equations are summed over the
/// thresholds, each weighted by the inverse of its entry in `errors`. A row is used at every threshold where
/// rows are few, else at one or some of them in turn. Λ is diagonal: Λ_j = ridge * max((AᵀA)_jj, median of
/// the diagonal). The products are fp32, added up in fp64: rounded to bf16 the equations often cannot be
/// solved.
MoeWeights refit(const MoeWeights& weights, const LayerRows& rows, const at::Tensor& routing_weights,
                 const std::vector<double>& thresholds, const std::vector<double>& errors, double ridge,
                 const Context& context);

}  // namespace ladimo
