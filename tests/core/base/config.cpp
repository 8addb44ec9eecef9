#include "checkpoint/config.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "support/pico_model.h"

using namespace ladimo;
using ladimo::testing::config_json;
using ladimo::testing::ModelShape;
using nlohmann::json;

namespace {

// The pico config changed by `change` (a JSON merge patch: null removes a key).
ModelConfig parse(const json& change, std::vector<Problem>& problems) {
  ModelShape pico;
  pico.extra = change;
  return parse_config(config_json(pico), "config.json", problems);
}

ModelConfig parse_good(const json& change = json::object()) {
  std::vector<Problem> problems;
  const ModelConfig config = parse(change, problems);
  for (const Problem& problem : problems) FAIL_CHECK(problem.message);
  return config;
}

// The pico config with one key set to null, which a merge patch cannot do.
ModelConfig parse_with_null(const char* key, json change = json::object()) {
  ModelShape pico;
  pico.extra = std::move(change);
  json full = config_json(pico);
  full[key] = nullptr;
  std::vector<Problem> problems;
  const ModelConfig config = parse_config(full, "config.json", problems);
  for (const Problem& problem : problems) FAIL_CHECK(problem.message);
  return config;
}

const json mistral = {{"architectures", {"MistralForCausalLM"}}, {"model_type", "mistral"}};

json with(json base, const json& change) {
  base.update(change);
  return base;
}

}  // namespace

TEST_CASE("the plain keys are read") {
  const ModelConfig config = parse_good({{"head_dim", 10}, {"eos_token_id", {2, 7}}, {"dtype", "float16"}});
  CHECK(config.architecture == "LlamaForCausalLM");
  CHECK(config.layers == 2);
  CHECK(config.hidden_size == 32);
  CHECK(config.intermediate_size == 48);
  CHECK(config.heads == 4);
  CHECK(config.kv_heads == 2);
  CHECK(config.head_dim == 10);
  CHECK(config.vocab_size == 4096);
  CHECK(config.max_positions == 64);
  CHECK(config.rms_eps == 1e-5);
  CHECK(config.tied_head);
  CHECK(config.bos == 1);
  CHECK(config.eos == std::vector<std::int64_t>{2, 7});
  CHECK(config.dtype == "float16");
}

TEST_CASE("keys that config.json leaves out get the defaults of transformers") {
  const ModelConfig llama = parse_good({{"num_key_value_heads", nullptr},
                                        {"rms_norm_eps", nullptr},
                                        {"tie_word_embeddings", nullptr},
                                        {"hidden_act", nullptr},
                                        {"rope_theta", nullptr},
                                        {"max_position_embeddings", nullptr},
                                        {"bos_token_id", nullptr}});
  CHECK(llama.kv_heads == 4);
  CHECK(llama.head_dim == 8);
  CHECK(llama.rms_eps == 1e-6);
  CHECK_FALSE(llama.tied_head);
  CHECK(llama.rope_theta == 1e4);
  CHECK(llama.max_positions == 2048);
  CHECK(llama.sliding_window == 0);
  CHECK(llama.bos == 1);
  CHECK(parse_good(mistral).sliding_window == 4096);
  CHECK(parse_good(with(mistral, {{"sliding_window", 16}})).sliding_window == 16);
  CHECK(parse_with_null("sliding_window", mistral).sliding_window == 0);
  CHECK(parse_with_null("num_key_value_heads").kv_heads == 4);
  CHECK(parse_with_null("head_dim").head_dim == 8);
  CHECK(parse_with_null("bos_token_id").bos == -1);
  CHECK(parse_with_null("eos_token_id").eos.empty());
}

TEST_CASE("rotary embedding is read in both spellings") {
  CHECK(parse_with_null("rope_scaling").rope_scaling.kind == RopeScaling::Kind::none);
  const ModelConfig linear =
      parse_good({{"rope_scaling", {{"type", "linear"}, {"factor", 4.0}}}, {"rope_theta", 5e5}});
  CHECK(linear.rope_scaling.kind == RopeScaling::Kind::linear);
  CHECK(linear.rope_scaling.factor == 4);
  CHECK(linear.rope_theta == 5e5);
  const json llama3 = {{"rope_type", "llama3"},  {"factor", 8.0},
                       {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0},
                       {"rope_theta", 500000.0}, {"original_max_position_embeddings", 8192}};
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const ModelConfig config = parse_good({{key, llama3}});
    CHECK(config.rope_scaling.kind == RopeScaling::Kind::llama3);
    CHECK(config.rope_scaling.factor == 8);
    CHECK(config.rope_scaling.low_frequency_factor == 1);
    CHECK(config.rope_scaling.high_frequency_factor == 4);
    CHECK(config.rope_scaling.original_positions == 8192);
    CHECK(config.rope_theta == 500000);
  }
  const ModelConfig plain =
      parse_good({{"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 1e6}}}});
  CHECK(plain.rope_scaling.kind == RopeScaling::Kind::none);
  CHECK(plain.rope_theta == 1e6);
}

TEST_CASE("keys that do not affect the computation are ignored") {
  parse_good({{"pretraining_tp", 2},
              {"attention_dropout", 0.1},
              {"use_cache", true},
              {"initializer_range", 0.02},
              {"pad_token_id", -1},
              {"transformers_version", "4.40.0"},
              {"_name_or_path", "x"},
              {"id2label", {{"0", "A"}}},
              {"partial_rotary_factor", 1.0},
              {"quantization_config", json::object()},
              {"qkv_bias", false},
              {"layer_types", {"full_attention", "full_attention"}}});
}

TEST_CASE(
    "keys of other programs that agree with LLaMA are accepted, and so is a config without architectures") {
  for (const json& change : {
           json{{"is_llama_config", true}, {"rope_interleaved", false}},
           json{{"transformers.js_config", {{"kv_cache_dtype", {{"q4f16", "float16"}}}}}},
           json{{"activation", "swiglu"}, {"is_causal", true}, {"is_decoder", true}},
           json{{"residual_multiplier", 1.0},
                {"use_mup", false},
                {"clip_qkv", nullptr},
                {"pruned_heads", json::object()}},
           json{{"architectures", nullptr}, {"model_type", "llama"}},
           json{{"rope_theta", nullptr}, {"rope_parameters", {{"rope_theta", 10000.0}}}},
       }) {
    CAPTURE(change.dump());
    std::vector<Problem> problems;
    const ModelConfig config = parse(change, problems);
    CHECK(problems.empty());
    CHECK(config.architecture == "LlamaForCausalLM");
    CHECK(config.rope_theta == 10000.0);
    CHECK(config.rope_scaling.kind == RopeScaling::Kind::none);
  }
}

TEST_CASE("unsupported settings and impossible values are named") {
  const struct {
    json change;
    const char* sentence;
  } cases[] = {
      {{{"architectures", {"Qwen2ForCausalLM"}}},
       "architectures is [\"Qwen2ForCausalLM\"], an unknown architecture"},
      {{{"architectures", nullptr}, {"model_type", nullptr}}, "architectures is missing"},
      {{{"architectures", nullptr}, {"model_type", "qwen2"}}, "architectures is missing"},
      {{{"model_type", "mistral"}}, "model_type is \"mistral\""},
      {{{"hidden_size", nullptr}}, "hidden_size is missing"},
      {{{"num_hidden_layers", 0}}, "num_hidden_layers is 0"},
      {{{"intermediate_size", -3}}, "intermediate_size is -3"},
      {{{"vocab_size", "many"}}, "vocab_size is \"many\""},
      {{{"vocab_size", 4096.5}}, "vocab_size is 4096.5"},
      {{{"hidden_size", 1e18}}, "hidden_size is 1e+18"},
      {{{"num_key_value_heads", 3}}, "num_key_value_heads is 3; it does not divide"},
      {{{"num_attention_heads", 5}, {"num_key_value_heads", 5}}, "does not divide hidden_size 32"},
      {{{"head_dim", 7}}, "head_dim is 7"},
      {{{"rms_norm_eps", 0}}, "rms_norm_eps is 0"},
      {{{"rms_norm_eps", 1e39}}, "rms_norm_eps is 1e+39"},
      {{{"rope_theta", "x"}}, "rope_theta is \"x\""},
      {{{"hidden_act", "gelu"}}, "hidden_act is \"gelu\", an unknown activation"},
      {{{"tie_word_embeddings", 1}}, "tie_word_embeddings is 1"},
      {{{"bos_token_id", 4096}}, "bos_token_id is 4096"},
      {{{"eos_token_id", {2, "x"}}}, "eos_token_id is [2,\"x\"]"},
      {{{"rope_scaling", {{"type", "yarn"}, {"factor", 2.0}}}},
       "rope_scaling.type is \"yarn\", an unknown rope type"},
      {{{"rope_parameters", {{"rope_type", "dynamic"}}}}, "rope_parameters.rope_type is \"dynamic\""},
      {{{"rope_scaling", {{"factor", 2.0}}}}, "rope_scaling.type is missing"},
      {{{"rope_scaling", {{"type", "linear"}}}}, "rope_scaling.factor is missing"},
      {{{"rope_scaling",
         {{"type", "llama3"}, {"factor", 2.0}, {"low_freq_factor", 1}, {"high_freq_factor", 4}}}},
       "original_max_position_embeddings is missing"},
      {{{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}, {"mscale", 1.0}}}},
       "rope_scaling.mscale is not known here"},
      {{{"rope_scaling", "linear"}}, "rope_scaling is \"linear\""},
      {{{"rope_scaling", {{"type", "default"}}},
        {"rope_parameters", {{"rope_type", "linear"}, {"factor", 2}}}},
       "rope_scaling contradicts rope_parameters"},
      {{{"sliding_window", 128}}, "sliding_window changes the computation"},
      {{{"layer_types", {"full_attention", "sliding_attention"}}}, "layer_types is"},
      {{{"partial_rotary_factor", 0.5}}, "partial_rotary_factor is 0.5"},
      {{{"quantization_config", {{"bits", 4}}}}, "quantization_config is not known here"},
      {{{"attn_logit_softcapping", 50.0}}, "attn_logit_softcapping is not known here"},
      {{{"qk_norm", true}}, "qk_norm is not known here"},
      {{{"auto_map", {{"AutoModelForCausalLM", "modeling.Own"}}}}, "auto_map is not known here"},
      {{{"is_causal", false}}, "is_causal is false; only true is known here"},
      {{{"use_rope", false}}, "use_rope is false; only true is known here"},
      {{{"rope_interleaved", true}}, "rope_interleaved is true; only false is known here"},
      {{{"activation", "geglu"}}, "activation is \"geglu\"; only \"silu\", \"swish\" or \"swiglu\""},
      {{{"max_position_embeddings", 1}}, "max_position_embeddings is 1; a model needs 2"},
      {{{"rms_norm", false}}, "rms_norm is false; only true is known here"},
      {{{"scale_attention", false}}, "scale_attention is false; only true is known here"},
      {{{"residual_multiplier", 0.22}}, "residual_multiplier is 0.22; only 1 is known here"},
  };
  for (const auto& item : cases) {
    CAPTURE(item.change.dump());
    std::vector<Problem> problems;
    parse(item.change, problems);
    REQUIRE_FALSE(problems.empty());
    CHECK_MESSAGE(problems.front().message.find(item.sentence) != std::string::npos,
                  problems.front().message);
    CHECK_FALSE(problems.front().hint.empty());
    CHECK(problems.front().path == "config.json");
  }
}

TEST_CASE("all problems are listed, not only the first") {
  std::vector<Problem> problems;
  parse({{"hidden_act", "gelu"}, {"alibi", true}, {"rope_scaling", {{"type", "yarn"}}}}, problems);
  CHECK(problems.size() == 3);
  problems.clear();
  json many;
  for (int i = 0; i < 300; ++i) many["own_" + std::to_string(i)] = 1;
  parse(many, problems);
  REQUIRE(problems.size() == 6);
  CHECK(problems.back().message == "config.json: 295 more keys are not known here either.");
  problems.clear();
  parse({{"hidden_size", std::vector<int>(10000, 64)}}, problems);
  CHECK(problems.front().message.size() < 300);
  problems.clear();
  parse_config(json::array(), "config.json", problems);
  CHECK(problems.size() == 1);
}

TEST_CASE("parameters are counted as docs/method.md defines them") {
  // The pico config has d 32, 2 layers, f 48, heads 4 x 8, kv 2 x 8, vocabulary 4096.
  const std::int64_t attention = 32 * 32 * 2 + 32 * 16 * 2, ffn = 3 * 32 * 48, table = 4096 * 32;
  const std::int64_t layers = 2 * (attention + ffn + 2 * 32) + 32;
  const ModelConfig tied = parse_good();
  CHECK(tied.ffn_parameters_per_layer() == ffn);
  CHECK(tied.parameters() == table + layers);
  CHECK(tied.activated_parameters() == table + layers + 32);
  const ModelConfig separate = parse_good({{"tie_word_embeddings", false}});
  CHECK(separate.parameters() == 2 * table + layers);
  CHECK(separate.activated_parameters() == table + layers + 32);
  const ModelConfig biased = parse_good({{"mlp_bias", true}, {"attention_bias", true}});
  CHECK(biased.ffn_parameters_per_layer() == ffn + 48 * 2 + 32);
  CHECK(biased.parameters() == tied.parameters() + 2 * (48 * 2 + 32 + 32 * 2 + 16 * 2));
}

TEST_CASE("the demo's config is understood and counts 3.2M parameters") {
  std::vector<Problem> problems;
  const std::filesystem::path file = std::filesystem::path(LADIMO_DEMO) / "config.json";
  const ModelConfig config = parse_config(read_json(file), file, problems);
  CHECK(problems.empty());
  CHECK(config.parameters() == 3221952);
}
