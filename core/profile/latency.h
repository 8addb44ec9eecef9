// What a layer costs in milliseconds on this machine, dense and at several activities.
#pragma once

#include <vector>

#include "base/context.h"
#include "evaluate/scores.h"
#include "policy/tradeoff_table.h"

namespace ladimo {

/// Times the model as it decodes and as it reads a prompt: dense, and with the same number of experts in
/// every layer. Then several sequences at a time, each with tokens of its own, and after a long context.
/// Where the model is large, its first layers stand for all. `converted` are the converted layers. Their
/// weights take the places of the timed layers, because all layers have the same shape. Without any, only the
/// dense layers and the cuts are timed.
/// `cuts` are policies of all layers that leave out single inputs; with none of them, what that saves is not
/// measured.
LatencyTable measure_latency(const WeightSource& source, const MoeLayers& moe,
                             const std::vector<int>& converted, const std::vector<ModelPolicy>& cuts,
                             const Context& context);

}  // namespace ladimo
