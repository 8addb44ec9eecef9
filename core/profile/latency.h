// What a layer costs in milliseconds on this machine, dense and at several activities.
#pragma once

#include "base/context.h"
#include "evaluate/scores.h"
#include "policy/tradeoff_table.h"

namespace ladimo {

/// Times one FFN, dense and at rising activity, for one token and for a prompt. All layers have the same
/// shape, so layer `layer` stands for all. Also times everything outside the FFNs at a context of 128 tokens.
LatencyTable measure_latency(const WeightSource& source, const MoeLayers& moe, int layer,
                             const Context& context);

}  // namespace ladimo
