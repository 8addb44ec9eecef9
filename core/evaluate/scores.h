// Converted models against their dense original, token by token, in one walk through the layers.
#pragma once

#include <cstdint>
#include <vector>

#include "base/context.h"
#include "model/moe_layers.h"
#include "model/weight_source.h"
#include "stream/walk.h"
#include "text/corpus.h"

namespace ladimo {

/// The scores of one model (a policy). Token vectors are in window order, positions 1 ... W - 1 of each
/// window.
struct PolicyScores {
  std::vector<float> kl;           // KL(dense || converted) of the distribution that predicts the token, nats
  std::vector<float> nll;          // -ln p(token), nats
  std::vector<std::uint8_t> same;  // 1 where both models' most likely token is the same
  std::vector<double> mean_experts;    // per layer: routed experts on per token; 0 where it is dense
  std::vector<double> ffn_parameters;  // per layer: FFN parameters used per token (docs/method.md "Metrics")
  std::vector<double> attention_left_out;  // per layer: parameters of qkv and o that a token leaves out
};

struct Scores {
  std::int64_t window = 0;
  std::vector<std::int32_t> source;  // per window
  std::vector<float> dense_nll;      // per scored token
  std::vector<PolicyScores> policies;
};

/// What happens to the experts that a token skips.
enum class SkippedExperts {
  masked,    // they are computed and masked: the same numbers on every run, as a conversion needs them
  left_out,  // they are not computed where that is faster (evaluate/skipping_ffn.h)
};

/// The layers under each policy, as branches of the dense model. All arguments must outlive the result.
Branches under_policies(const WeightSource& source, const MoeLayers& moe,
                        const std::vector<ModelPolicy>& policies, SkippedExperts skipped);

/// Runs the dense model and every converted one over the windows. Each layer is loaded once for all models. A
/// converted model shares the dense stream up to its first layer that is not dense.
Scores score(const WeightSource& source, const Branches& models, const Windows& windows,
             const Context& context);

/// Scores one set of converted layers under several policies, with masked experts.
Scores score(const WeightSource& source, const MoeLayers& moe, const Windows& windows,
             const std::vector<ModelPolicy>& policies, const Context& context);

/// Counts what runs, without predictions. Only `mean_experts` and `ffn_parameters` are filled.
Scores count_activity(const WeightSource& source, const Branches& models, const Windows& windows,
                      const Context& context);
Scores count_activity(const WeightSource& source, const MoeLayers& moe, const Windows& windows,
                      const std::vector<ModelPolicy>& policies, const Context& context);

}  // namespace ladimo
