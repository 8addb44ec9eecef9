// The tensors of a converted layer in one table: their names in a file and how they are stored.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/moe_layer.h"

namespace ladimo {

/// The sizes that determine the shapes of a layer's tensors.
struct MoeSizes {
  std::int64_t neurons = 0;        // f
  std::int64_t hidden_size = 0;    // d
  std::int64_t routed = 0;         // E
  std::int64_t router_inputs = 0;  // d, or the hidden units of the router
  std::int64_t points = 0;         // rows of `activity`
};

struct MoeField {
  // `weights`: the dtype that the layer is stored or computed in. `curve`: fp32, always on the CPU, where it
  // is read number by number.
  enum class Type { weights, fp32, curve, int64 };
  using Shape = std::vector<std::int64_t>;

  const char* name;
  at::Tensor MoeWeights::*tensor;
  Type type;
  Shape (*shape)(const MoeSizes&);
  bool required = false;
  const char* with = nullptr;  // a field that is stored exactly when this one is

  /// The dtype of this field in a layer whose weights have the dtype `weights`.
  constexpr at::ScalarType dtype(at::ScalarType weights) const {
    return type == Type::weights ? weights : type == Type::int64 ? at::kLong : at::kFloat;
  }
  /// Where this field is in a layer whose weights are on the device `weights`.
  at::Device device(at::Device weights) const { return type == Type::curve ? at::kCPU : weights; }
};

namespace moe_shapes {
inline MoeField::Shape neurons(const MoeSizes& s) { return {s.neurons}; }
inline MoeField::Shape rows_of_neurons(const MoeSizes& s) { return {s.neurons, s.hidden_size}; }
inline MoeField::Shape outputs(const MoeSizes& s) { return {s.hidden_size}; }
inline MoeField::Shape experts(const MoeSizes& s) { return {s.routed}; }
inline MoeField::Shape rows_of_experts(const MoeSizes& s) { return {s.routed, s.hidden_size}; }
inline MoeField::Shape router(const MoeSizes& s) { return {s.routed, s.router_inputs}; }
inline MoeField::Shape units(const MoeSizes& s) { return {s.router_inputs}; }
inline MoeField::Shape rows_of_units(const MoeSizes& s) { return {s.router_inputs, s.hidden_size}; }
inline MoeField::Shape points(const MoeSizes& s) { return {s.points, 2}; }
}  // namespace moe_shapes

/// All fields, in the order of the file.
inline constexpr auto moe_fields = [] {
  using enum MoeField::Type;
  using namespace moe_shapes;
  using W = MoeWeights;
  return std::array{
      MoeField{"gate", &W::gate, weights, rows_of_neurons, true},
      MoeField{"up", &W::up, weights, rows_of_neurons, true},
      MoeField{"down", &W::down, weights, rows_of_neurons, true},
      MoeField{"compensation", &W::compensation, weights, rows_of_experts},
      MoeField{"gate_bias", &W::gate_bias, weights, neurons},
      MoeField{"up_bias", &W::up_bias, weights, neurons},
      MoeField{"down_bias", &W::down_bias, weights, outputs},
      MoeField{"router", &W::router, fp32, router, true},
      MoeField{"router_bias", &W::router_bias, fp32, experts, true},
      MoeField{"router_hidden", &W::router_hidden, fp32, rows_of_units},
      MoeField{"router_hidden_bias", &W::router_hidden_bias, fp32, units, false, "router_hidden"},
      MoeField{"gate_shift", &W::gate_shift, weights, rows_of_neurons},
      MoeField{"up_shift", &W::up_shift, weights, rows_of_neurons, false, "gate_shift"},
      MoeField{"down_shift", &W::down_shift, weights, rows_of_neurons, false, "gate_shift"},
      MoeField{"activity", &W::activity, curve, points, false, "gate_shift"},
      MoeField{"permutation", &W::permutation, int64, neurons, true},
  };
}();

}  // namespace ladimo
