// Converted models against their dense original, token by token, in one pass over the layers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/context.h"
#include "model/moe_layer.h"
#include "model/weight_source.h"
#include "policy/layer_policy.h"
#include "text/corpus.h"

namespace ladimo {

/// The converted weights of a layer, on the device and in the dtype that is computed with.
using MoeProvider = std::function<std::shared_ptr<const MoeWeights>(int layer)>;

/// One policy for every layer of the model.
using ModelPolicy = std::vector<LayerPolicy>;

/// Converted models that are scored together.
struct ConvertedModels {
  /// Per model the first layer that is not dense; the number of layers where none is.
  std::vector<std::int64_t> first_layer;
  /// The FFN of one layer in every model; null where it stays dense.
  std::function<std::vector<std::shared_ptr<const FeedForward>>(int layer)> ffns;
};

/// What one model (a policy) did. Token vectors are in window order, positions 1 ... W - 1 of each window.
struct PolicyScores {
  std::vector<float> kl;           // KL(dense || converted) of the distribution that predicts the token, nats
  std::vector<float> nll;          // -ln p(token), nats
  std::vector<std::uint8_t> same;  // 1 where both models' most likely token is the same
  std::vector<double>
      mean_experts;  // per layer: routed experts on per token, counted over all tokens; dense: 0
  std::vector<double> ffn_parameters;  // per layer: FFN parameters used per token (docs/method.md "Metrics")
};

struct Scores {
  std::int64_t window = 0;
  std::vector<std::int32_t> source;  // per window
  std::vector<float> dense_nll;      // per scored token
  std::vector<PolicyScores> policies;
};

/// Runs the dense model and every converted one over the windows. Weights are streamed: one layer at a time
/// for all models, windows in groups that bound memory. A model shares the dense stream up to its first layer
/// that is not dense.
Scores score(const WeightSource& source, const ConvertedModels& models, const Windows& windows,
             const Context& context);

/// The same for one set of converted layers under several policies.
Scores score(const WeightSource& source, const MoeProvider& moe, const Windows& windows,
             const std::vector<ModelPolicy>& policies, const Context& context);

/// The same passes without predictions: only `mean_experts` and `ffn_parameters` are filled.
Scores count_activity(const WeightSource& source, const ConvertedModels& models, const Windows& windows,
                      const Context& context);
Scores count_activity(const WeightSource& source, const MoeProvider& moe, const Windows& windows,
                      const std::vector<ModelPolicy>& policies, const Context& context);

}  // namespace ladimo
