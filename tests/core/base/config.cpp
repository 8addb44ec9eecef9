#include "checkpoint/config.h"

#include <cmath>

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

json family(const char* architecture, const char* model_type) {
  return {{"architectures", {architecture}},
          {"model_type", model_type},
          {"attention_bias", nullptr},
          {"mlp_bias", nullptr}};
}

const json mistral = family("MistralForCausalLM", "mistral");
const json qwen2 = family("Qwen2ForCausalLM", "qwen2");
const json qwen3 = family("Qwen3ForCausalLM", "qwen3");
const json phi3 = family("Phi3ForCausalLM", "phi3");
const json granite = family("GraniteForCausalLM", "granite");

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

TEST_CASE("every family has the defaults of transformers") {
  const json silent = {
      {"num_key_value_heads", nullptr}, {"rms_norm_eps", nullptr}, {"max_position_embeddings", nullptr},
      {"bos_token_id", nullptr},        {"eos_token_id", nullptr}, {"num_attention_heads", 32}};
  const struct {
    const json& family;
    const char* name;
    std::int64_t positions, kv_heads, head_dim, sliding_window, bos;
    std::vector<std::int64_t> eos;
    double rms_eps;
    bool qkv_bias, qk_norm;
  } cases[] = {
      {mistral, "Mistral", 131072, 8, 1, 4096, 1, {2}, 1e-6, false, false},
      {qwen2, "Qwen2", 32768, 32, 1, 0, -1, {}, 1e-6, true, false},
      {qwen3, "Qwen3", 32768, 32, 128, 0, -1, {}, 1e-6, false, true},
      {phi3, "Phi-3", 4096, 32, 1, 0, 1, {32000}, 1e-5, false, false},
      {granite, "Granite", 2048, 32, 1, 0, 1, {2}, 1e-6, false, false},
  };
  for (const auto& item : cases) {
    CAPTURE(item.name);
    std::vector<Problem> problems;  // a head of one dimension is refused; that is not the subject here
    const ModelConfig config = parse(with(item.family, silent), problems);
    CHECK(config.family() == item.name);
    CHECK(config.max_positions == item.positions);
    CHECK(config.kv_heads == item.kv_heads);
    CHECK(config.head_dim == item.head_dim);
    CHECK(config.sliding_window == item.sliding_window);
    CHECK(config.bos == item.bos);
    CHECK(config.eos == item.eos);
    CHECK(config.rms_eps == item.rms_eps);
    CHECK(config.qkv_bias == item.qkv_bias);
    CHECK_FALSE(config.o_bias);
    CHECK(config.qk_norm == item.qk_norm);
    CHECK(config.residual_multiplier == 1);
    CHECK(config.attention_multiplier.has_value() == (item.family == granite));
    CHECK(parse_good(item.family).architecture == item.family["architectures"][0]);
  }
  CHECK(ModelConfig().family().empty());
}

TEST_CASE("Qwen's sliding window holds in the layers that the config names") {
  const json used = with(qwen2, {{"use_sliding_window", true}, {"sliding_window", 16}});
  CHECK(parse_good(with(qwen2, {{"sliding_window", 16}, {"max_window_layers", 0}})).sliding_window == 0);
  CHECK(parse_good(used).sliding_window == 0);  // from layer 28 on
  const ModelConfig upper = parse_good(with(used, {{"max_window_layers", 1}}));
  CHECK(upper.sliding_window_of(0) == 0);
  CHECK(upper.sliding_window_of(1) == 16);
  const ModelConfig named =
      parse_good(with(used, {{"layer_types", {"sliding_attention", "full_attention"}}}));
  CHECK(named.sliding_window_of(0) == 16);
  CHECK(named.sliding_window_of(1) == 0);
  CHECK(parse_good(with(used, {{"max_window_layers", 0}})).full_attention_layers.empty());
  CHECK(parse_with_null("sliding_window", with(used, {{"max_window_layers", 0}})).sliding_window == 0);
}

TEST_CASE("Granite's multipliers are read") {
  const ModelConfig config = parse_good(with(granite, {{"embedding_multiplier", 12.0},
                                                       {"attention_multiplier", 0.0078125},
                                                       {"residual_multiplier", 0.22},
                                                       {"logits_scaling", 16}}));
  CHECK(config.embedding_multiplier == 12);
  CHECK(config.attention_scale() == 0.0078125);
  CHECK(config.residual_multiplier == 0.22);
  CHECK(config.logits_scaling == 16);
  CHECK(parse_good(granite).attention_scale() == 1);
  CHECK(parse_good().attention_scale() == 1 / std::sqrt(8.0));
}

TEST_CASE("Phi-3 rotates a part of each head, and its old rope types mean longrope") {
  const json scaled = {
      {"rope_scaling", {{"type", "longrope"}, {"short_factor", {1, 1, 2}}, {"long_factor", {1, 2, 4}}}},
      {"partial_rotary_factor", 0.75},
      {"original_max_position_embeddings", 16},
      {"auto_map", {{"AutoConfig", "configuration_phi3.Phi3Config"}}},
      {"interpolate_factor", 1}};
  const ModelConfig config = parse_good(with(phi3, scaled));
  CHECK(config.rotary_dim() == 6);
  CHECK(config.rope_scaling.kind == RopeScaling::Kind::longrope);
  CHECK(config.rope_scaling.original_positions == 16);
  CHECK(config.rope_scaling.long_factors == std::vector<double>{1, 2, 4});
  CHECK(config.rope_scaling.attention_factor == doctest::Approx(std::sqrt(1.5)));  // 64 positions from 16
  for (const char* type : {"su", "yarn"}) {
    json old = with(phi3, scaled);
    old["rope_scaling"]["type"] = type;
    CHECK(to_json(parse_good(old)) == to_json(config));
  }
  json inside = with(phi3, scaled);
  inside.erase("partial_rotary_factor");
  inside["rope_scaling"]["partial_rotary_factor"] = 0.75;
  CHECK(to_json(parse_good(inside)) == to_json(config));
}

TEST_CASE("yarn and dynamic reach as many positions as they stretch to") {
  const auto positions_of = [](const json& scaling) {
    return parse_good({{"rope_scaling", scaling}}).max_positions;
  };
  CHECK(positions_of({{"type", "dynamic"}, {"factor", 2.5}}) == 160);
  CHECK(positions_of({{"type", "dynamic"}, {"factor", 0.5}}) == 64);
  CHECK(positions_of({{"type", "dynamic"}, {"factor", 1e300}}) == std::int64_t{1} << 31);
  CHECK(positions_of({{"type", "yarn"}, {"factor", 4}}) == 256);
  CHECK(positions_of({{"type", "yarn"}, {"factor", 4}, {"original_max_position_embeddings", 8}}) == 64);
  CHECK(positions_of({{"type", "linear"}, {"factor", 4}}) == 64);
  const ModelConfig yarn =
      parse_good({{"rope_scaling", {{"type", "yarn"}, {"factor", 4}, {"mscale", 2}, {"mscale_all_dim", 1}}}});
  CHECK(yarn.rope_scaling.attention_factor ==
        doctest::Approx((0.2 * std::log(4) + 1) / (0.1 * std::log(4) + 1)));
  CHECK(yarn.rope_scaling.original_positions == 64);
}

TEST_CASE("with dynamic and longrope the frequencies follow from the length of the text") {
  CHECK(parse_good().longest_alike(5) == 64);
  const ModelConfig dynamic = parse_good({{"rope_scaling", {{"type", "dynamic"}, {"factor", 2}}}});
  CHECK(dynamic.longest_alike(5) == 64);
  CHECK(dynamic.longest_alike(64) == 64);
  CHECK(dynamic.longest_alike(65) == 65);
  const json factors = {1, 1, 2, 2};
  const ModelConfig longrope = parse_good(
      {{"original_max_position_embeddings", 16},
       {"rope_scaling", {{"type", "longrope"}, {"short_factor", factors}, {"long_factor", factors}}}});
  CHECK(longrope.longest_alike(16) == 16);
  CHECK(longrope.longest_alike(17) == 64);
}

TEST_CASE("a description by a program that knew only LLaMA and Mistral is read") {
  const ModelConfig config = parse_good({{"attention_bias", true}});
  json older = to_json(config);
  for (const char* key :
       {"family", "rotary_share", "full_attention_layers", "qkv_bias", "o_bias", "qk_norm",
        "embedding_multiplier", "attention_multiplier", "residual_multiplier", "logits_scaling"})
    CHECK(older.erase(key) == 1);
  for (const char* key :
       {"attention_factor", "beta_fast", "beta_slow", "truncate", "short_factors", "long_factors"})
    CHECK(older["rope_scaling"].erase(key) == 1);
  older["attention_bias"] = true;
  CHECK(to_json(model_config_from_json(older)) == to_json(config));
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
      {{{"architectures", {"GPT2LMHeadModel"}}},
       "architectures is [\"GPT2LMHeadModel\"], an unknown architecture"},
      {{{"architectures", nullptr}, {"model_type", nullptr}}, "architectures is missing"},
      {{{"architectures", nullptr}, {"model_type", "gpt2"}}, "architectures is missing"},
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
      {{{"rope_scaling", {{"type", "ntk"}, {"factor", 2.0}}}},
       "rope_scaling.type is \"ntk\", an unknown rope type"},
      {{{"rope_parameters", {{"rope_type", "dynamic"}}}}, "rope_parameters.factor is missing"},
      {{{"rope_scaling", {{"type", "yarn"}}}}, "rope_scaling.factor is missing"},
      {{{"rope_scaling", {{"type", "yarn"}, {"factor", 2.0}, {"beta_slow", 0}}}},
       "rope_scaling.beta_slow is 0; it must be a number above 0"},
      {{{"rope_scaling", {{"type", "yarn"}, {"factor", 2.0}, {"truncate", 1}}}},
       "rope_scaling.truncate is 1; it must be true or false"},
      {{{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}, {"beta_fast", 4}}}},
       "rope_scaling.beta_fast is not supported"},
      {{{"rope_scaling", {{"type", "longrope"}, {"long_factor", {1, 2, 3, 4}}}}},
       "rope_scaling.short_factor is missing"},
      {{{"rope_scaling", {{"type", "longrope"}, {"short_factor", {1, 2, 3}}, {"long_factor", {1, 2, 3, 4}}}}},
       "rope_scaling.short_factor must be a list of 4 numbers above 0"},
      {{{"rope_scaling",
         {{"type", "longrope"}, {"short_factor", {1, 2, 3, "x"}}, {"long_factor", {1, 2, 3, 4}}}}},
       "rope_scaling.short_factor must be a list of 4 numbers above 0"},
      {{{"rope_scaling",
         {{"type", "longrope"},
          {"original_max_position_embeddings", 1},
          {"short_factor", {1, 2, 3, 4}},
          {"long_factor", {1, 2, 3, 4}}}}},
       "rope_scaling.original_max_position_embeddings must be at least 2"},
      {{{"head_dim", 2}, {"rope_scaling", {{"rope_type", "dynamic"}, {"factor", 2.0}}}},
       "rope_scaling.rope_type is \"dynamic\", which needs more than 2 rotated dimensions"},
      {{{"rope_parameters", {{"full_attention", {{"rope_type", "default"}}}}}},
       "rope_parameters.full_attention is not supported"},
      {{{"rope_scaling", {{"factor", 2.0}}}}, "rope_scaling.type is missing"},
      {{{"rope_scaling", {{"type", "linear"}}}}, "rope_scaling.factor is missing"},
      {{{"rope_scaling", {{"type", "llama3"}, {"factor", 2.0}, {"high_freq_factor", 4}}}},
       "rope_scaling.low_freq_factor is missing"},
      {{{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}, {"mscale", 1.0}}}},
       "rope_scaling.mscale is not supported"},
      {{{"rope_scaling", "linear"}}, "rope_scaling is \"linear\""},
      {{{"rope_scaling", {{"type", "default"}}},
        {"rope_parameters", {{"rope_type", "linear"}, {"factor", 2}}}},
       "rope_scaling contradicts rope_parameters"},
      {{{"sliding_window", 128}}, "sliding_window changes the computation"},
      {{{"layer_types", {"full_attention", "sliding_attention"}}}, "layer_types is"},
      {{{"partial_rotary_factor", 0.5}}, "partial_rotary_factor is 0.5"},
      {{{"quantization_config", {{"bits", 4}}}}, "quantization_config is not supported"},
      {{{"attn_logit_softcapping", 50.0}}, "attn_logit_softcapping is not supported"},
      {{{"qk_norm", true}}, "qk_norm is not supported"},
      {{{"auto_map", {{"AutoModelForCausalLM", "modeling.Own"}}}}, "auto_map is not supported"},
      {{{"is_causal", false}}, "is_causal is false; only true is supported"},
      {{{"use_rope", false}}, "use_rope is false; only true is supported"},
      {{{"rope_interleaved", true}}, "rope_interleaved is true; only false is supported"},
      {{{"activation", "geglu"}}, "activation is \"geglu\"; only \"silu\", \"swish\" or \"swiglu\""},
      {{{"max_position_embeddings", 1}}, "max_position_embeddings is 1; a model needs 2"},
      {{{"rms_norm", false}}, "rms_norm is false; only true is supported"},
      {{{"scale_attention", false}}, "scale_attention is false; only true is supported"},
      {{{"residual_multiplier", 0.22}}, "residual_multiplier is 0.22; only 1 is supported"},
      {{{"use_sliding_window", true}}, "use_sliding_window is not supported"},
      {with(mistral, {{"attention_bias", true}}), "attention_bias is not supported"},
      {with(qwen2, {{"mlp_bias", true}}), "mlp_bias is not supported"},
      {with(qwen2, {{"max_window_layers", -1}, {"use_sliding_window", true}}),
       "max_window_layers is -1; it must be a whole number from 0"},
      {with(qwen2, {{"layer_types", {"full_attention", "sliding_attention"}}}),
       "only \"full_attention\" in every layer is supported"},
      {with(qwen2, {{"use_sliding_window", true}, {"layer_types", {"full_attention"}}}),
       "must name \"sliding_attention\" or \"full_attention\" for each of 2 layers"},
      {with(qwen2, {{"use_sliding_window", true}, {"layer_types", {"full_attention", "linear"}}}),
       "must name \"sliding_attention\" or \"full_attention\" for each of 2 layers"},
      {with(phi3, {{"partial_rotary_factor", 1.5}}), "partial_rotary_factor is 1.5; it must be a number"},
      {with(phi3, {{"partial_rotary_factor", 0.4}}), "partial_rotary_factor rotates 3 of 8 dimensions"},
      {with(phi3, {{"full_attn_mod", 2}}), "full_attn_mod is 2; only 1 is supported"},
      {with(phi3, {{"mlp_bias", true}}), "mlp_bias is not supported"},
      {with(granite, {{"logits_scaling", 0}}), "logits_scaling is 0; it must be a number above 0"},
      {with(granite, {{"sliding_window", 8}}), "sliding_window changes the computation"},
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
  parse({{"hidden_act", "gelu"}, {"alibi", true}, {"rope_scaling", {{"type", "ntk"}}}}, problems);
  CHECK(problems.size() == 3);
  problems.clear();
  json many;
  for (int i = 0; i < 300; ++i) many["own_" + std::to_string(i)] = 1;
  parse(many, problems);
  REQUIRE(problems.size() == 6);
  CHECK(problems.back().message == "config.json: 295 more keys are not supported either.");
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

TEST_CASE("configs of well-known models are understood, with the parameters that their makers state") {
  const json sizes = {{"hidden_size", 4096},       {"intermediate_size", 14336}, {"num_hidden_layers", 32},
                      {"num_attention_heads", 32}, {"num_key_value_heads", 8},   {"torch_dtype", "bfloat16"},
                      {"hidden_act", "silu"},      {"use_cache", true}};
  const json factors(48, 1.5);
  const struct {
    const char* name;
    json config;
    std::int64_t parameters, max_positions;
  } models[] = {
      {"Llama-3.1-8B",
       {{"architectures", {"LlamaForCausalLM"}},
        {"vocab_size", 128256},
        {"max_position_embeddings", 131072},
        {"pretraining_tp", 1},
        {"rope_theta", 5e5},
        {"eos_token_id", {128001, 128008, 128009}},
        {"rope_scaling",
         {{"factor", 8.0},
          {"low_freq_factor", 1.0},
          {"high_freq_factor", 4.0},
          {"original_max_position_embeddings", 8192},
          {"rope_type", "llama3"}}}},
       8030261248,
       131072},
      {"Qwen2.5-7B with yarn",
       {{"architectures", {"Qwen2ForCausalLM"}},
        {"model_type", "qwen2"},
        {"vocab_size", 152064},
        {"hidden_size", 3584},
        {"intermediate_size", 18944},
        {"num_hidden_layers", 28},
        {"num_attention_heads", 28},
        {"num_key_value_heads", 4},
        {"max_position_embeddings", 32768},
        {"max_window_layers", 28},
        {"sliding_window", 131072},
        {"use_sliding_window", false},
        {"use_mrope", false},
        {"rope_theta", 1e6},
        {"bos_token_id", 151643},
        {"eos_token_id", 151645},
        {"rope_scaling", {{"factor", 4.0}, {"original_max_position_embeddings", 32768}, {"type", "yarn"}}}},
       7615616512,
       131072},
      {"Qwen3-8B",
       {{"architectures", {"Qwen3ForCausalLM"}},
        {"model_type", "qwen3"},
        {"vocab_size", 151936},
        {"intermediate_size", 12288},
        {"num_hidden_layers", 36},
        {"head_dim", 128},
        {"attention_bias", false},
        {"max_window_layers", 36},
        {"sliding_window", nullptr},
        {"use_sliding_window", false},
        {"max_position_embeddings", 40960},
        {"rope_theta", 1000000},
        {"rope_scaling", nullptr}},
       8190735360,
       40960},
      {"Phi-3-mini-4k",
       {{"architectures", {"Phi3ForCausalLM"}},
        {"model_type", "phi3"},
        {"vocab_size", 32064},
        {"hidden_size", 3072},
        {"intermediate_size", 8192},
        {"num_key_value_heads", 32},
        {"auto_map", {{"AutoConfig", "configuration_phi3.Phi3Config"}}},
        {"embd_pdrop", 0.0},
        {"resid_pdrop", 0.0},
        {"original_max_position_embeddings", 4096},
        {"sliding_window", 2047},
        {"rope_scaling", nullptr}},
       3821079552,
       4096},
      {"Phi-4-mini",
       {{"architectures", {"Phi3ForCausalLM"}},
        {"model_type", "phi3"},
        {"vocab_size", 200064},
        {"hidden_size", 3072},
        {"intermediate_size", 8192},
        {"num_attention_heads", 24},
        {"auto_map", {{"AutoConfig", "configuration_phi3.Phi3Config"}}},
        {"full_attn_mod", 1},
        {"interpolate_factor", 1},
        {"lm_head_bias", false},
        {"mlp_bias", false},
        {"attention_bias", false},
        {"tie_word_embeddings", true},
        {"partial_rotary_factor", 0.75},
        {"sliding_window", 262144},
        {"max_position_embeddings", 131072},
        {"original_max_position_embeddings", 4096},
        {"rope_scaling", {{"long_factor", factors}, {"short_factor", factors}, {"type", "longrope"}}}},
       3836021760,
       131072},
      {"granite-3.1-2b",
       {{"architectures", {"GraniteForCausalLM"}},
        {"model_type", "granite"},
        {"vocab_size", 49155},
        {"hidden_size", 2048},
        {"intermediate_size", 8192},
        {"num_hidden_layers", 40},
        {"attention_multiplier", 0.015625},
        {"embedding_multiplier", 12.0},
        {"logits_scaling", 8.0},
        {"residual_multiplier", 0.22},
        {"tie_word_embeddings", true},
        {"max_position_embeddings", 131072},
        {"rope_theta", 5000000.0}},
       2533531648,
       131072},
  };
  for (const auto& model : models) {
    CAPTURE(model.name);
    std::vector<Problem> problems;
    const ModelConfig config = parse_config(with(sizes, model.config), "config.json", problems);
    for (const Problem& problem : problems) FAIL_CHECK(problem.message);
    CHECK(config.parameters() == model.parameters);
    CHECK(config.max_positions == model.max_positions);
  }
}

TEST_CASE("the demo's config is understood and counts 3.2M parameters") {
  std::vector<Problem> problems;
  const std::filesystem::path file = std::filesystem::path(LADIMO_DEMO) / "config.json";
  const ModelConfig config = parse_config(read_json(file), file, problems);
  CHECK(problems.empty());
  CHECK(config.parameters() == 3221952);
}
