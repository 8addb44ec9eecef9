#include "policy/moe_shape.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

using namespace ladimo;

namespace {

/// A layer of 6 shared neurons and 4 experts of 5 neurons over 10 inputs, so a neuron has 30 weights.
MoeShape small_shape() {
  MoeShape shape;
  shape.hidden_size = 10;
  shape.shared_neurons = 6;
  shape.routed = 4;
  shape.expert_neurons = 5;
  shape.router_parameters = 44;
  shape.skipped_parameters = 10;
  return shape;
}

}  // namespace

TEST_CASE(
    "activated parameters are the router's, those of the experts that run and the compensation of the "
    "others") {
  MoeShape shape = small_shape();
  CHECK(shape.activated_parameters(0) == 44 + 6 * 30 + 4 * 10);
  CHECK(shape.activated_parameters(1.5) == 44 + 13.5 * 30 + 2.5 * 10);
  CHECK(shape.activated_parameters(4) == 44 + 26 * 30);
  shape.neuron_biases = true;
  CHECK(shape.activated_parameters(4) == 44 + 26 * 32);
  shape.output_bias = true;
  CHECK(shape.activated_parameters(0) == 44 + 6 * 32 + 4 * 10 + 10);
}

TEST_CASE("a layer without routed experts costs all of its neurons") {
  MoeShape shape;
  shape.hidden_size = 10;
  shape.shared_neurons = 26;
  CHECK(shape.activated_parameters(0) == 26 * 30);
  shape.output_bias = true;
  CHECK(shape.activated_parameters(0) == 26 * 30 + 10);
}

TEST_CASE("a router has weights and biases, those of its hidden units included") {
  CHECK(router_parameters(24, 8) == 8 * 24 + 8);
  CHECK(router_parameters(24, 8, 5) == 5 * 24 + 5 + 8 * 5 + 8);
}

TEST_CASE("a shape is read as it was written, and refused when it is damaged") {
  MoeShape shape = small_shape();
  shape.neuron_biases = true;
  const nlohmann::json json = to_json(shape);
  CHECK(moe_shape_from_json(json) == shape);
  auto damaged = json;
  damaged.erase("routed");
  CHECK_THROWS_AS(moe_shape_from_json(damaged), Refusal);
  for (const char* key : {"hidden_size", "shared_neurons", "router_parameters", "skipped_parameters"}) {
    CAPTURE(key);
    damaged = json;
    damaged[key] = -1;
    CHECK_THROWS_AS(moe_shape_from_json(damaged), Refusal);
  }
}
