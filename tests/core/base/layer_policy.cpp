#include "policy/layer_policy.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "support/refusals.h"

using namespace ladimo;
using ladimo::testing::check_refused;

TEST_CASE("a layer's policy is written as it is read") {
  for (const char* text : {"dense", "top0", "top2", "top48", "th0.031", "th0", "th1.5", "th0.000012"})
    CHECK(to_string(parse_layer_policy(text)) == text);
  CHECK(parse_layer_policy("top3") == LayerPolicy::top(3));
  CHECK(parse_layer_policy("th0.25") == LayerPolicy::above(0.25));
  const double third = 1.0 / 3;
  CHECK(parse_layer_policy(to_string(LayerPolicy::above(third))).threshold == third);
}

TEST_CASE("text that is not a policy is refused with the three spellings") {
  for (const char* text : {"", "Dense", "top", "top-1", "top2.5", "topx", "th", "thx", "thnan", "thinf",
                           "th0.1 ", "sparse", "top99999999999"}) {
    CAPTURE(text);
    check_refused("is not a layer's policy. | A layer's policy is written dense, top2",
                  [&] { parse_layer_policy(text); });
  }
}

TEST_CASE("pins are read from LAYER=POLICY") {
  const Pin pin = parse_pin("12=th0.031");
  CHECK(pin.layer == 12);
  CHECK(pin.policy == LayerPolicy::above(0.031));
  CHECK(parse_pin("0=dense").policy == LayerPolicy::dense());
  for (const char* text : {"", "3", "=dense", "x=dense", "-1=dense", "3.5=dense", "3 =dense"}) {
    CAPTURE(text);
    check_refused("is not a pin. | A pin is a layer and its policy", [&] { parse_pin(text); });
  }
  check_refused("\"dnse\" is not a layer's policy", [] { parse_pin("3=dnse"); });
}

TEST_CASE("an entry of a policy file is written and read") {
  CHECK(to_json(LayerPolicy::dense(), 0).dump() == R"({"kind":"dense","layer":0})");
  CHECK(to_json(LayerPolicy::top(3), 1).dump() == R"({"k":3,"kind":"top_k","layer":1})");
  CHECK(to_json(LayerPolicy::above(0.031, 2.7), 2).dump() ==
        R"({"kind":"threshold","layer":2,"mean_experts":2.7,"threshold":0.031})");
  for (const auto& policy : {LayerPolicy::dense(), LayerPolicy::top(3), LayerPolicy::above(1.0 / 3, 2.7)})
    CHECK(layer_policy_from_json(to_json(policy, 5)) == policy);
}

TEST_CASE("broken entries are refused") {
  const std::pair<const char*, const char*> broken[] = {
      {R"([])", "is not a JSON object"},
      {R"({})", "kind is missing"},
      {R"({"kind": 3})", "kind is not a string"},
      {R"({"kind": "top"})", "kind is not one of dense, top_k, threshold"},
      {R"({"kind": "top_k"})", "k is missing"},
      {R"({"kind": "top_k", "k": -1})", "k is negative"},
      {R"({"kind": "top_k", "k": 1.5})", "k is not an integer"},
      {R"({"kind": "top_k", "k": 9999999999})", "k is out of range"},
      {R"({"kind": "threshold", "threshold": 0.1})", "mean_experts is missing"},
      {R"({"kind": "threshold", "threshold": null, "mean_experts": 1})", "threshold is not a number"},
  };
  for (const auto& [text, part] : broken)
    check_refused(part, [text = text] { layer_policy_from_json(nlohmann::json::parse(text)); });
}
