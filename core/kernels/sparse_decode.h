// Decoding with few tokens: the time is that of reading weights, so only the rows that run are read.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/moe_layer.h"

namespace ladimo {

/// Whether `sparse_decode` serves these tokens: at most 8 of them, on the CPU, in fp32 or bf16, without
/// autograd.
bool decodes_sparsely(const MoeWeights& weights, const at::Tensor& x);

/// MoeWeights::combine for few tokens: reads the rows of the shared neurons and of the experts that at least
/// one token selected. x [T, d], selected bool [T, E] -> [T, d] fp32. The sum's order depends on the thread
/// count only. Precondition: decodes_sparsely.
at::Tensor sparse_decode(const MoeWeights& weights, const at::Tensor& x, const at::Tensor& selected);

}  // namespace ladimo
