#include "policy/moe_shape.h"

#include "base/json_members.h"

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

template <>
struct Members<MoeShape> {
  static constexpr std::tuple all{Member{"hidden_size", &MoeShape::hidden_size},
                                  Member{"shared_neurons", &MoeShape::shared_neurons},
                                  Member{"routed", &MoeShape::routed},
                                  Member{"expert_neurons", &MoeShape::expert_neurons},
                                  Member{"router_parameters", &MoeShape::router_parameters},
                                  Member{"skipped_parameters", &MoeShape::skipped_parameters},
                                  Member{"neuron_biases", &MoeShape::neuron_biases},
                                  Member{"output_bias", &MoeShape::output_bias}};
};

nlohmann::json to_json(const MoeShape& shape) { return members_to_json(shape); }

MoeShape moe_shape_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "layer's shape");
  for (const char* key : {"hidden_size", "shared_neurons", "routed", "expert_neurons", "router_parameters",
                          "skipped_parameters"})
    if (fields.number(key) < 0) fields.refuse(key, "is negative");
  return members_from_json<MoeShape>(fields);
}

}  // namespace ladimo
