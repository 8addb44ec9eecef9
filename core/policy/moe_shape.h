// What a converted layer costs: its sizes, without its weights.
#pragma once

#include <cstdint>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

/// A feed-forward network with shared neurons, which run for every token, and routed experts of equal size,
/// of which a router chooses some. A dense FFN has shared neurons only.
struct MoeShape {
  std::int64_t hidden_size = 0;
  std::int64_t shared_neurons = 0;
  std::int64_t routed = 0;          // experts
  std::int64_t expert_neurons = 0;  // of each routed expert
  double router_parameters = 0;     // weights and biases, those of a hidden layer included
  double skipped_parameters = 0;    // read for every routed expert that is skipped, such as its compensation
  bool neuron_biases = false;       // the gate and up projections have biases
  bool output_bias = false;         // the down projection has a bias

  /// Parameters used per token when `mean_experts` routed experts run on average: the router, the neurons
  /// that run, what stands in for the skipped experts and the output's bias (docs/method.md "Metrics").
  double activated_parameters(double mean_experts) const;
  bool operator==(const MoeShape&) const = default;
};

/// Weights and biases of a router: linear, or with `rank` > 0 hidden units in between.
double router_parameters(std::int64_t hidden_size, std::int64_t routed, std::int64_t rank = 0);

/// An object with the members' names as keys.
nlohmann::json to_json(const MoeShape& shape);
/// Throws Refusal when a key is missing or a size is negative.
MoeShape moe_shape_from_json(const nlohmann::json& json);

}  // namespace ladimo
