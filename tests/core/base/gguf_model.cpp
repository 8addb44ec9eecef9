#include "checkpoint/gguf_model.h"

#include <functional>

#include <doctest/doctest.h>

#include "checkpoint/checkpoint.h"
#include "checkpoint/gguf.h"
#include "checkpoint/gguf_vocabulary.h"
#include "checkpoint/weight_values.h"
#include "run/recipe.h"
#include "support/gguf_file.h"
#include "support/refusals.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

struct Pico {
  TemporaryFolder folder;
  fs::path model = folder / "model", file = folder / "pico.gguf";
  GgufFile gguf;

  explicit Pico(const ModelShape& shape = {}, bool quantise = false) {
    write_pico_model(model, shape);
    gguf = gguf_of(model, quantise);
  }
  void write() const { write_file(file, gguf.bytes()); }
  std::vector<Problem> problems() const {
    write();
    return Checkpoint::examine(file).problems;
  }
};

std::vector<std::byte> values_of(const TensorView& view) {
  std::vector<std::byte> bytes(view.elements() * dtype_size(view.dtype));
  read_elements(view, 0, bytes);
  return bytes;
}

/// Checks that changing a GGUF file gets it refused with `sentence`.
void check_problem(const char* sentence, const std::function<void(GgufFile&)>& change) {
  Pico pico;
  change(pico.gguf);
  const auto problems = pico.problems();
  CAPTURE(sentence);
  REQUIRE(problems.size() == 1);
  INFO(problems[0].message);
  CHECK(problems[0].message.find(sentence) != std::string::npos);
  CHECK_FALSE(problems[0].hint.empty());
  CHECK(problems[0].path == pico.file);
}

void set_heads(GgufFile& gguf, std::uint32_t heads) { gguf.whole("llama.attention.head_count", heads); }

void add_freqs(GgufFile& gguf, const std::vector<float>& factors) {
  GgufFile::Tensor tensor{"rope_freqs.weight", {factors.size()}, 0, {}};
  for (const float factor : factors) tensor.bytes += raw(factor);
  gguf.tensors.push_back(tensor);
}

nlohmann::json config_of(const Pico& pico) {
  pico.write();
  return nlohmann::json::parse(gguf_config(Gguf::open(pico.file)));
}

}  // namespace

TEST_CASE("a GGUF file holds the same checkpoint as the folder that it was made from") {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16})
    for (const bool tied : {true, false}) {
      ModelShape shape;
      shape.dtype = dtype;
      shape.tied_head = tied;
      shape.attention_bias = shape.mlp_bias = !tied;
      const Pico pico(shape);
      pico.write();
      const auto folder = Checkpoint::open(pico.model), file = Checkpoint::open(pico.file);
      CHECK(file.format() == FileFormat::gguf);
      CHECK(file.path() == pico.file);
      CHECK(to_json(file.config()) == to_json(folder.config()));
      CHECK(file.converted_dtype() == folder.converted_dtype());
      REQUIRE(file.store().tensors().size() == folder.store().tensors().size());
      for (const auto& [name, view] : folder.store().tensors()) {
        CAPTURE(name);
        const TensorView& other = file.store().at(name);
        CHECK(other.dtype == view.dtype);
        CHECK(other.shape == view.shape);
        CHECK(values_of(other) == values_of(view));
        CHECK(have_equal_values(other, view));
        CHECK(Checkpoint::fingerprint(other) == Checkpoint::fingerprint(view));
      }
      CHECK(find_bad_weights(file, Context()).empty());
      CHECK(most_common_quantisation(file.store()).empty());
    }
}

TEST_CASE("a fingerprint covers the header and the elements of a GGUF file") {
  Pico pico({}, true);
  const auto fingerprint = [&] {
    pico.write();
    return Checkpoint::open(pico.file).fingerprint();
  };
  const auto original = fingerprint();
  CHECK(fingerprint() == original);
  auto& bytes = pico.gguf.tensors.front().bytes;
  bytes[5] = static_cast<char>(bytes[5] + 1);
  const auto other_weights = fingerprint();
  CHECK(other_weights != original);
  pico.gguf.real("llama.rope.freq_base", 20000);
  CHECK(fingerprint() != other_weights);
}

TEST_CASE("vectors keep F32 where their values need it") {
  ModelShape shape;
  shape.dtype = DType::bf16;
  Pico pico(shape);
  for (auto& tensor : pico.gguf.tensors)
    if (tensor.name == "output_norm.weight") tensor.bytes.replace(0, 4, raw(0.1F));
  pico.write();
  const auto store = Checkpoint::open(pico.file).store();
  CHECK(store.at("model.norm.weight").dtype == DType::f32);
  CHECK(store.at("model.layers.0.input_layernorm.weight").dtype == DType::bf16);
}

TEST_CASE("any part of a quantised tensor is the part of the whole") {
  const Pico pico({}, true);
  pico.write();
  const auto checkpoint = Checkpoint::open(pico.file);
  CHECK(most_common_quantisation(checkpoint.store()) == "Q8_0");
  CHECK(checkpoint.converted_dtype() == DType::bf16);
  for (const char* name : {"model.layers.0.self_attn.q_proj.weight", "model.embed_tokens.weight"}) {
    const TensorView& view = checkpoint.store().at(name);
    REQUIRE(view.dtype == DType::bf16);
    const auto whole = values_of(view);
    for (const auto& [first, count] :
         {std::pair<std::size_t, std::size_t>{0, 1}, {31, 2}, {33, 70}, {64, 32}, {5, 900}}) {
      std::vector<std::byte> part(count * 2), buffer;
      read_elements(view, first, part);
      CHECK(std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(first) * 2));
      CHECK(std::ranges::equal(elements_of(view, first, count, buffer), part));
    }
  }
  // Q8_0 with a scale of 2^-6 holds what was rounded to it.
  const auto original = floats_of(TensorStore::open(pico.model).at("model.layers.0.self_attn.k_proj.weight"));
  const auto read = values_of(checkpoint.store().at("model.layers.0.self_attn.k_proj.weight"));
  for (std::size_t i = 0; i < original.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, &read[i * 2], 2);
    CHECK(std::bit_cast<float>(std::uint32_t{bits} << 16) ==
          doctest::Approx(original[i]).epsilon(0).scale(1).epsilon(0.02));
  }
}

TEST_CASE("bad weights of a quantised tensor are found by their element") {
  Pico pico({}, true);
  for (auto& tensor : pico.gguf.tensors)
    if (tensor.name == "blk.0.ffn_gate.weight") tensor.bytes.replace(3 * 34, 2, raw(std::uint16_t{0x7c00}));
  pico.write();
  const auto problems = find_bad_weights(Checkpoint::open(pico.file), Context());
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].message.find("mlp.gate_proj.weight contains NaN or Inf; the first is element 96") !=
        std::string::npos);
}

TEST_CASE("keys of a GGUF file become those of config.json") {
  Pico pico;
  pico.gguf.whole("llama.attention.key_length", 8);
  pico.gguf.whole("llama.attention.value_length", 8);
  pico.gguf.whole("llama.attention.sliding_window", 16);
  pico.gguf.real("llama.attention.layer_norm_rms_epsilon", 1e-6F);
  pico.gguf.whole("tokenizer.ggml.eot_token_id", 5);
  pico.gguf.whole("llama.expert_count", 0);
  pico.gguf.flag("llama.attention.causal", true);
  pico.gguf.text("general.license", "mit");
  auto config = config_of(pico);
  CHECK(config["architectures"] == nlohmann::json{"MistralForCausalLM"});
  CHECK(config["sliding_window"] == 16);
  CHECK(config["head_dim"] == 8);
  CHECK(config["rms_norm_eps"] == 1e-6);
  CHECK(config["eos_token_id"] == nlohmann::json{2, 5});
  CHECK(config["license"] == "mit");
  CHECK(config["rope_scaling"].is_null());
  pico.gguf.text("llama.rope.scaling.type", "linear");
  pico.gguf.real("llama.rope.scaling.factor", 2.5F);
  CHECK(config_of(pico)["rope_scaling"] == nlohmann::json{{"rope_type", "linear"}, {"factor", 2.5}});
  pico.gguf.text("llama.rope.scaling.type", "yarn");
  pico.gguf.whole("llama.rope.scaling.original_context_length", 32);
  CHECK(config_of(pico)["rope_scaling"] ==
        nlohmann::json{{"rope_type", "yarn"}, {"factor", 2.5}, {"original_max_position_embeddings", 32}});
}

TEST_CASE("texts also end at control tokens that are spelled as ends") {
  GgufFile gguf;
  gguf.texts("tokenizer.ggml.tokens", {"<|im_end|>", "a", "<|endoftext|>", "<|tool|>", "<|eot_id|>"});
  gguf.list<std::int32_t>("tokenizer.ggml.token_type", 5, {3, 1, 3, 3, 1});
  const TemporaryFolder folder;
  const auto ends = [&] {
    write_file(folder / "m.gguf", gguf.bytes());
    return tokens_spelled_as_ends(Gguf::open(folder / "m.gguf").metadata);
  };
  CHECK(ends() == std::vector<std::int64_t>{0, 2});
  gguf.list<std::int32_t>("tokenizer.ggml.token_type", 5, {3});
  CHECK(ends().empty());
  gguf.erase("tokenizer.ggml.token_type");
  CHECK(ends().empty());

  Pico pico;
  Pieces pieces(read_file(pico.model / "tokenizer.model"));
  pieces.tokens[9] = "<|im_end|>";
  pieces.types[9] = 3;
  pico.gguf.texts("tokenizer.ggml.tokens", pieces.tokens);
  pico.gguf.list("tokenizer.ggml.token_type", 5, pieces.types);
  CHECK(config_of(pico)["eos_token_id"] == nlohmann::json{2, 9});
}

TEST_CASE("factors of frequencies become the parameters of llama3") {
  // What llama.cpp's converter computes for 64 dimensions, theta 500000, factor 8 and 8192 positions:
  // frequencies 14 to 17 lie between the two wave lengths.
  Pico pico;
  pico.gguf.whole("llama.attention.key_length", 64);
  pico.gguf.whole("llama.attention.value_length", 64);
  pico.gguf.real("llama.rope.freq_base", 500000);
  for (const double positions : {8192.0, 3000.0}) {
    std::vector<float> factors;
    for (int i = 0; i < 32; ++i) {
      const double length = 2 * std::numbers::pi * std::pow(500000.0, 2 * i / 64.0);
      const double smooth = (positions / length - 1) / 3;
      factors.push_back(static_cast<float>(length < positions / 4 ? 1
                                           : length > positions   ? 8
                                                                  : 1 / ((1 - smooth) / 8 + smooth)));
    }
    std::erase_if(pico.gguf.tensors, [](const auto& tensor) { return tensor.name == "rope_freqs.weight"; });
    add_freqs(pico.gguf, factors);
    const auto scaling = config_of(pico)["rope_scaling"];
    CHECK(scaling["rope_type"] == "llama3");
    CHECK(scaling["factor"] == 8);
    CHECK(scaling["original_max_position_embeddings"] == positions);
  }
}

TEST_CASE("what a GGUF model asks for and is not known is refused by name") {
  check_problem("general.architecture is \"gemma2\"",
                [](GgufFile& g) { g.text("general.architecture", "gemma2"); });
  check_problem("general.architecture is missing", [](GgufFile& g) { g.erase("general.architecture"); });
  check_problem("general.type is \"adapter\"", [](GgufFile& g) { g.text("general.type", "adapter"); });
  check_problem("llama.block_count is missing", [](GgufFile& g) { g.erase("llama.block_count"); });
  check_problem("llama.expert_count is not supported", [](GgufFile& g) { g.whole("llama.expert_count", 8); });
  check_problem("llama.attn_logit_softcapping is not supported",
                [](GgufFile& g) { g.real("llama.attn_logit_softcapping", 30); });
  check_problem("feed_forward_length has a value per layer", [](GgufFile& g) {
    g.list<std::int32_t>("llama.feed_forward_length", 5, {48, 48});
  });
  check_problem("value_length is 4", [](GgufFile& g) {
    g.whole("llama.attention.key_length", 8);
    g.whole("llama.attention.value_length", 4);
  });
  check_problem("layer_norm_rms_epsilon is missing",
                [](GgufFile& g) { g.erase("llama.attention.layer_norm_rms_epsilon"); });
  check_problem("layer_norm_rms_epsilon is not a finite number",
                [](GgufFile& g) { g.real("llama.attention.layer_norm_rms_epsilon", NAN); });
  check_problem("rope.scaling.type is \"odd\"",
                [](GgufFile& g) { g.text("llama.rope.scaling.type", "odd"); });
  check_problem("rope.scaling.yarn_ext_factor is 0.5", [](GgufFile& g) {
    g.text("llama.rope.scaling.type", "yarn");
    g.real("llama.rope.scaling.yarn_ext_factor", 0.5F);
  });
  check_problem("not those of llama3", [](GgufFile& g) { add_freqs(g, {1, 3, 2, 8}); });
  check_problem("contains 3 factors for 8 rotated", [](GgufFile& g) { add_freqs(g, {1, 1, 1}); });
  check_problem("is not above 0", [](GgufFile& g) { add_freqs(g, {1, 1, 0, 1}); });
  check_problem("contradicts what the file says", [](GgufFile& g) {
    add_freqs(g, {1, 1, 1, 1});
    g.text("llama.rope.scaling.type", "linear");
  });
  check_problem("tensor blk.0.ffn_gate_exps.weight has no place", [](GgufFile& g) {
    g.tensors.push_back({"blk.0.ffn_gate_exps.weight", {4}, 0, std::string(16, '\0')});
  });
  check_problem("Tensor model.norm.weight of shape [32] is missing", [](GgufFile& g) {
    std::erase_if(g.tensors, [](const auto& tensor) { return tensor.name == "output_norm.weight"; });
  });
  check_problem("Tensor model.embed_tokens.weight has shape [64, 32], but config.json asks for [4096, 32]",
                [](GgufFile& g) {
                  for (auto& tensor : g.tensors)
                    if (tensor.name == "token_embd.weight") tensor.shape = {64, 32};
                });
  check_problem("num_attention_heads is 0", [](GgufFile& g) { set_heads(g, 0); });
  check_problem("tokenizer.ggml.model is \"bert\"",
                [](GgufFile& g) { g.text("tokenizer.ggml.model", "bert"); });
}

TEST_CASE("a folder that holds only a GGUF file names the file to give") {
  const TemporaryFolder folder;
  write_file(folder / "m.gguf", "GGUF");
  const auto problems = Checkpoint::examine(folder.path()).problems;
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].message.find("contains a GGUF file (m.gguf)") != std::string::npos);
  CHECK(problems[0].hint.find((folder / "m.gguf").string()) != std::string::npos);
}

TEST_CASE("a GGUF file or a folder with a config.json looks like a model, where it is there") {
  const Pico pico;
  CHECK_FALSE(looks_like_model(pico.file));
  pico.write();
  CHECK(looks_like_model(pico.file));
  CHECK(looks_like_model(pico.model));
  CHECK_FALSE(looks_like_model(pico.folder.path()));
}

TEST_CASE("a model is named after its GGUF file, without the ending") {
  Recipe recipe;
  recipe.model = "/models/SmolLM2-135M.Q4_1.gguf";
  CHECK(recipe.model_name() == "SmolLM2-135M.Q4_1");
}
