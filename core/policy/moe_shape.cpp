#include "policy/moe_shape.h"

#include <string_view>

#include "base/json_fields.h"

namespace ladimo {

double MoeShape::activated_parameters(double mean_experts) const {
  const auto d = static_cast<double>(hidden_size);
  const double per_neuron = 3 * d + (neuron_biases ? 2 : 0);
  const double active =
      static_cast<double>(shared_neurons) + mean_experts * static_cast<double>(expert_neurons);
  const double skipped = static_cast<double>(routed) - mean_experts;
  return router_parameters + active * per_neuron + skipped * skipped_parameters + (output_bias ? d : 0);
}

double router_parameters(std::int64_t hidden_size, std::int64_t routed, std::int64_t rank) {
  const auto d = static_cast<double>(hidden_size), experts = static_cast<double>(routed);
  const auto units = static_cast<double>(rank);
  return rank > 0 ? units * (d + 1) + experts * (units + 1) : experts * (d + 1);
}

nlohmann::json to_json(const MoeShape& shape) {
  return {{"hidden_size", shape.hidden_size},
          {"shared_neurons", shape.shared_neurons},
          {"routed", shape.routed},
          {"expert_neurons", shape.expert_neurons},
          {"router_parameters", shape.router_parameters},
          {"skipped_parameters", shape.skipped_parameters},
          {"neuron_biases", shape.neuron_biases},
          {"output_bias", shape.output_bias}};
}

MoeShape moe_shape_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "layer's shape");
  const auto not_negative = [&](std::string_view key, auto value) {
    if (value < 0) fields.refuse(key, "is negative");
    return value;
  };
  const auto size = [&](std::string_view key) { return not_negative(key, fields.integer(key)); };
  const auto count = [&](std::string_view key) { return not_negative(key, fields.number(key)); };
  return {size("hidden_size"),          size("shared_neurons"),     size("routed"),
          size("expert_neurons"),       count("router_parameters"), count("skipped_parameters"),
          fields.flag("neuron_biases"), fields.flag("output_bias")};
}

}  // namespace ladimo
