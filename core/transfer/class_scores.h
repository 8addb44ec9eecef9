// How far a model is from its dense original when its layers are those of a MoE class.
#pragma once

#include <functional>
#include <vector>

#include "base/context.h"
#include "model/standard_moe.h"
#include "model/weight_source.h"
#include "policy/layer_policy.h"
#include "stream/walk.h"
#include "text/corpus.h"

namespace ladimo {

/// One way to have the layers of a class, by number.
using LayersOfClass = std::function<StandardMoe(int layer)>;

/// Adds a model to `models` that has layers of a class where `policy` is not dense. The policy must outlive
/// `models`.
void add_model(Branches& models, const ModelPolicy& policy, const LayersOfClass& layers);

/// KL(dense || model) in nats per token, for every one of `ways`.
std::vector<double> kls_of_class(const WeightSource& source, const ModelPolicy& policy,
                                 const std::vector<LayersOfClass>& ways, const Windows& windows,
                                 const Context& context);

}  // namespace ladimo
