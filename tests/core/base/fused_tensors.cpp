#include "checkpoint/fused_tensors.h"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "checkpoint/checkpoint.h"
#include "support/formula_model.h"
#include "support/model_folder.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using namespace ladimo::testing;
using nlohmann::json;

namespace {

const std::string attention = "model.layers.0.self_attn.", ffn = "model.layers.0.mlp.";

json phi3_config() {
  ModelShape shape{.layers = 1, .vocab = 8};
  shape.extra = {{"architectures", {"Phi3ForCausalLM"}}, {"model_type", "phi3"}};
  return config_json(shape);
}

json entry(const std::string& name, const std::vector<std::int64_t>& shape) {
  return json::array({name, shape});
}

// The tensors of a Phi-3 model with 4 heads and 2 key heads of 8 dimensions, as its file holds them.
json phi3_tensors() {
  return json::array(
      {entry("model.embed_tokens.weight", {8, 32}), entry("model.layers.0.input_layernorm.weight", {32}),
       entry(attention + "qkv_proj.weight", {64, 32}), entry(attention + "o_proj.weight", {32, 32}),
       entry("model.layers.0.post_attention_layernorm.weight", {32}),
       entry(ffn + "gate_up_proj.weight", {96, 32}), entry(ffn + "down_proj.weight", {32, 48}),
       entry("model.norm.weight", {32})});
}

std::vector<std::string> messages(const json& tensors, const json& config = phi3_config()) {
  const TemporaryFolder folder;
  write_formula_model(folder.path(), config, tensors);
  std::vector<std::string> found;
  for (const Problem& problem : Checkpoint::examine(folder.path()).problems) {
    CHECK_FALSE(problem.hint.empty());
    found.push_back(problem.message);
  }
  return found;
}

}  // namespace

TEST_CASE("fused projections are split by rows") {
  const TemporaryFolder folder;
  write_formula_model(folder.path(), phi3_config(), phi3_tensors());
  const Checkpoint checkpoint = Checkpoint::open(folder.path());
  const TensorStore stored = TensorStore::open(folder.path());
  const auto check = [&](Role role, const std::string& fused, std::size_t first, std::int64_t rows) {
    const TensorView& part = checkpoint.tensor(role, 0);
    CAPTURE(part.name);
    CHECK(part.name == tensor_name(role, 0));
    CHECK(part.shape == std::vector<std::int64_t>{rows, 32});
    const auto expected =
        stored.at(fused).bytes.subspan(first * 32 * 4, static_cast<std::size_t>(rows) * 32 * 4);
    CHECK(std::ranges::equal(part.bytes, expected));
  };
  check(Role::q, attention + "qkv_proj.weight", 0, 32);
  check(Role::k, attention + "qkv_proj.weight", 32, 16);
  check(Role::v, attention + "qkv_proj.weight", 48, 16);
  check(Role::gate, ffn + "gate_up_proj.weight", 0, 48);
  check(Role::up, ffn + "gate_up_proj.weight", 48, 48);
  CHECK(checkpoint.store().tensors().size() == 11);
  CHECK_FALSE(checkpoint.store().contains(ffn + "gate_up_proj.weight"));
  CHECK(checkpoint.fingerprint() == Checkpoint::open(folder.path()).fingerprint());
}

TEST_CASE("projections that are stored apart stay apart") {
  json apart = phi3_tensors();
  apart.erase(5);
  apart.push_back(entry(ffn + "gate_proj.weight", {48, 32}));
  apart.push_back(entry(ffn + "up_proj.weight", {48, 32}));
  CHECK(messages(apart).empty());
  apart.push_back(entry(ffn + "gate_up_proj.weight", {96, 32}));
  CHECK(messages(apart).size() == 1);  // which of them is meant?
}

TEST_CASE("a fused projection that does not fit is named, and its parts are not missed") {
  json narrow = phi3_tensors();
  narrow[5][1] = {95, 32};
  CHECK(messages(narrow) == std::vector<std::string>{"Tensor model.layers.0.mlp.gate_up_proj.weight has "
                                                     "shape [95, 32], but config.json asks for [96, 32]."});
  json flat = phi3_tensors();
  flat[2][1] = {64 * 32};
  CHECK(messages(flat).size() == 1);
  json absent = phi3_tensors();
  absent.erase(2);
  CHECK(messages(absent).size() == 3);
}

TEST_CASE("another family has no fused projections") {
  json llama = phi3_config();
  llama["architectures"] = {"LlamaForCausalLM"};
  llama["model_type"] = "llama";
  const auto found = messages(phi3_tensors(), llama);
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("Gate and up projection are stored as one tensor"));
}
