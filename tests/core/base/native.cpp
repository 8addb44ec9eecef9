#include "checkpoint/native.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace ladimo;
using nlohmann::json;

namespace {

NativeSection sample_section() {
  NativeSection section{"/models/dense", "abc", "llama", 6, {}};
  section.layers = {{true, false, {}}, {false, true, {{"shared_neurons", "8"}}}};
  return section;
}

json round_trip(const json& original) {
  const json native = native_config(original, sample_section());
  CHECK(is_native(native));
  CHECK(native["architectures"] == json{"LadimoForCausalLM"});
  CHECK(native["auto_map"]["AutoConfig"] == "configuration_ladimo.LadimoConfig");
  return original_config(native);
}

}  // namespace

TEST_CASE("the original's config.json comes back from that of a native folder") {
  const json original{{"model_type", "llama"}, {"architectures", {"LlamaForCausalLM"}}, {"hidden_size", 8}};
  CHECK(round_trip(original) == original);
  const json without{{"model_type", "llama"}, {"hidden_size", 8}};
  CHECK(round_trip(without) == without);
}

TEST_CASE("Python code of the original's own is left out, because its files are not there") {
  const json original{{"model_type", "llama"}, {"architectures", {"Phi3ForCausalLM"}}};
  json with_code = original;
  with_code["auto_map"] = {{"AutoModelForCausalLM", "modeling_phi3.Phi3ForCausalLM"}};
  CHECK(round_trip(with_code) == original);
}

TEST_CASE("folders of earlier versions keep the original's architectures at their place") {
  const json original{{"model_type", "llama"}, {"architectures", {"LlamaForCausalLM"}}};
  json native = native_config(original, sample_section());
  native["architectures"] = original["architectures"];
  native.erase("auto_map");
  native["ladimo"].erase("architectures");
  CHECK(original_config(native) == original);
}

TEST_CASE("the section says which weights there are") {
  const json native = native_config({{"model_type", "llama"}}, sample_section());
  const NativeSection section = native_section(native, "config.json");
  CHECK(section.fingerprint == "abc");
  CHECK(section.routed_experts == 6);
  REQUIRE(section.layers.size() == 2);
  CHECK(section.layers[0].dense);
  CHECK_FALSE(section.layers[0].converted);
  CHECK(section.layers[1].metadata.at("shared_neurons") == "8");
}
