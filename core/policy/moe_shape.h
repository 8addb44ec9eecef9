// The sizes of a converted layer without its weights, and what it costs.
#pragma once

#include <cstdint>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

/// A feed-forward network with shared neurons, which run for every token, and routed experts of equal size. A
/// router chooses some of the experts. A dense FFN has shared neurons only.
struct MoeShape {
  std::int64_t hidden_size = 0;
  std::int64_t shared_neurons = 0;
  std::int64_t routed = 0;          // number of routed experts
  std::int64_t expert_neurons = 0;  // neurons of each routed expert
  double router_parameters = 0;     // weights and biases, including those of a hidden layer
  double skipped_parameters = 0;    // read for every routed expert that is skipped, such as its compensation
  bool neuron_biases = false;       // the gate and up projections have biases
  bool output_bias = false;         // the down projection has a bias

  /// Parameters used per token when `mean_experts` routed experts run on average. Counts the router, the
  /// neurons that run, the replacement of the skipped experts and the output's bias (docs/method.md
  /// "Metrics").
  double activated_parameters(double mean_experts) const;
  bool operator==(const MoeShape&) const = default;
};

/// The number of weights and biases of a router. It is linear, or has `rank` > 0 hidden units.
double router_parameters(std::int64_t hidden_size, std::int64_t routed, std::int64_t rank = 0);

/// Returns an object with the names of the members as keys.
nlohmann::json to_json(const MoeShape& shape);
/// Throws Refusal when a key is missing or a size is negative.
MoeShape moe_shape_from_json(const nlohmann::json& json);

}  // namespace ladimo
