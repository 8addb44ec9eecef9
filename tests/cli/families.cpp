// A model of every family goes the whole way: inspect, convert with all its steps, policy, eval, generate,
// and an export that is read back.
#include <cmath>
#include <cstring>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint.h"
#include "support/same_numbers.h"
#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

ModelShape shape_of(const char* architecture, const char* model_type, const json& more = json::object()) {
  ModelShape shape;
  shape.extra = {{"architectures", {architecture}}, {"model_type", model_type}};
  shape.extra.update(more);
  return shape;
}

/// Joins the projections that Phi-3 stores as one tensor.
void fuse(const fs::path& folder) {
  std::map<std::string, std::vector<std::byte>> bytes;
  std::vector<TensorSpec> specs;
  {
    const TensorStore store = TensorStore::open(folder);
    const auto join = [&](const std::string& fused, const std::vector<std::string>& parts) {
      TensorSpec spec{fused, store.at(parts[0]).dtype, {0, store.at(parts[0]).shape[1]}};
      for (const std::string& part : parts) {
        spec.shape[0] += store.at(part).shape[0];
        const auto view = store.at(part).bytes;
        bytes[fused].insert(bytes[fused].end(), view.begin(), view.end());
      }
      specs.push_back(spec);
    };
    for (const auto& [name, view] : store.tensors()) {
      const std::string layer = name.substr(0, name.find("self_attn."));
      const std::string in_ffn = name.substr(0, name.find("mlp."));
      if (name.ends_with("q_proj.weight"))
        join(layer + "self_attn.qkv_proj.weight",
             {name, layer + "self_attn.k_proj.weight", layer + "self_attn.v_proj.weight"});
      else if (name.ends_with("gate_proj.weight"))
        join(in_ffn + "mlp.gate_up_proj.weight", {name, in_ffn + "mlp.up_proj.weight"});
      else if (!name.ends_with("k_proj.weight") && !name.ends_with("v_proj.weight") &&
               !name.ends_with("up_proj.weight")) {
        specs.push_back({name, view.dtype, view.shape});
        bytes[name].assign(view.bytes.begin(), view.bytes.end());
      }
    }
  }
  SafetensorsWriter writer(folder / "model.safetensors", specs);
  for (const TensorSpec& spec : specs) writer.write(spec.name, bytes.at(spec.name));
  writer.finish();
}

void go_the_whole_way(const Workplace& work, const std::string& family) {
  CAPTURE(family);
  const fs::path run = work.folder / "run", native = work.folder / "native";
  const json inspected = json_of({"inspect", work.model});
  CHECK(inspected["family"] == family);
  CHECK(inspected["problems"].empty());
  json_of(work.convert(run));
  json_of({"policy", run, "--tradeoff", "1", "--pin", "0=dense"});
  const auto eval = [&](const fs::path& model) {
    return json_of({"eval", model, "--text", work.held_out, "--threads", "1"});
  };
  const json measured = eval(run);
  CHECK(measured["kl"].get<double>() > 0);
  CHECK(measured["kl"].get<double>() < 3);
  const json exported = json_of({"export", run, "-o", native});
  CHECK(exported["max_logit_error"] == 0.0);
  const json again = eval(native);
  for (const char* key : {"nll", "dense_nll", "kl", "activated_parameters"})
    CHECK(again[key].get<double>() == doctest::Approx(measured[key].get<double>())
                                          .epsilon(1e-6));  // skipped experts: evaluate/skipping_ffn.h
  const std::vector<std::string> generate = {"--prompt", "Once", "--max-tokens", "8", "--threads", "1"};
  const auto text_of = [&](const fs::path& model) {
    std::vector<std::string> arguments = {"generate", model};
    arguments.insert(arguments.end(), generate.begin(), generate.end());
    return json_of(arguments)["text"];
  };
  CHECK(text_of(run) == text_of(native));
}

}  // namespace

TEST_CASE("Qwen2, with biases of q, k and v") {
  go_the_whole_way(
      Workplace(shape_of("Qwen2ForCausalLM", "qwen2",
                         {{"use_sliding_window", true}, {"sliding_window", 16}, {"max_window_layers", 1}})),
      "Qwen2");
}

TEST_CASE("Qwen3, with norms of q and k") {
  go_the_whole_way(Workplace(shape_of("Qwen3ForCausalLM", "qwen3", {{"head_dim", 16}})), "Qwen3");
}

TEST_CASE("Phi-3, with fused projections and longrope") {
  const json longrope = {{"type", "longrope"}, {"short_factor", {1, 1, 2}}, {"long_factor", {1, 2, 4}}};
  const Workplace work(shape_of("Phi3ForCausalLM", "phi3",
                                {{"partial_rotary_factor", 0.75},
                                 {"original_max_position_embeddings", 32},
                                 {"rope_scaling", longrope}}));
  fuse(work.model);
  REQUIRE(TensorStore::open(work.model).contains("model.layers.1.mlp.gate_up_proj.weight"));
  go_the_whole_way(work, "Phi-3");
}

TEST_CASE("Granite, with its multipliers") {
  go_the_whole_way(Workplace(shape_of("GraniteForCausalLM", "granite",
                                      {{"embedding_multiplier", 3.0},
                                       {"attention_multiplier", 0.25},
                                       {"residual_multiplier", 0.4},
                                       {"logits_scaling", 2.5}})),
                   "Granite");
}
