#include "checkpoint/gguf_arch.h"

#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

#include "checkpoint/gguf.h"
#include "support/dense_gguf.h"
#include "support/gguf_file.h"
#include "support/refusals.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using namespace ladimo::testing;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

void add_demo_pieces(GgufKeys& keys) {
  const Pieces pieces(read_file(fs::path(LADIMO_DEMO) / "tokenizer.model"));
  keys.text("tokenizer.ggml.model", "llama");
  keys.texts("tokenizer.ggml.tokens", pieces.tokens);
  keys.f32s("tokenizer.ggml.scores", pieces.scores);
  keys.i32s("tokenizer.ggml.token_type", pieces.types);
}

std::vector<fs::path> write(const fs::path& model, const fs::path& file, GgufPrecision precision,
                            std::uint64_t most = one_file) {
  return write_dense_gguf(Checkpoint::open(model), file, precision, most, add_demo_pieces);
}

GgufPrecision precision_of(DType dtype) {
  return dtype == DType::f32   ? GgufPrecision::f32
         : dtype == DType::f16 ? GgufPrecision::f16
                               : GgufPrecision::bf16;
}

/// Every tensor of a model that was written as GGUF and read again has the bytes that it had.
void check_same_tensors(const Checkpoint& a, const Checkpoint& b) {
  REQUIRE(a.store().tensors().size() == b.store().tensors().size());
  for (const auto& [name, view] : a.store().tensors()) {
    CAPTURE(name);
    const TensorView& other = b.store().at(name);
    CHECK(other.shape == view.shape);
    CHECK(other.dtype == view.dtype);
    std::vector<std::byte> buffer_a, buffer_b;
    CHECK(std::ranges::equal(elements_of(view, 0, view.elements(), buffer_a),
                             elements_of(other, 0, view.elements(), buffer_b)));
  }
}

ModelShape shape_of(const json& extra, DType dtype = DType::bf16, bool tied = true) {
  ModelShape shape;
  shape.extra = extra;
  shape.dtype = dtype;
  shape.tied_head = tied;
  return shape;
}

/// The configuration of a tiny model. Nothing is written.
ModelConfig config_of(const json& extra) {
  std::vector<Problem> problems;
  const auto config = parse_config(config_json(shape_of(extra)), "config.json", problems);
  for (const Problem& problem : problems) FAIL(problem.message);
  return config;
}

const json plain = json::object();
const json qwen2 = {{"architectures", {"Qwen2ForCausalLM"}}, {"model_type", "qwen2"}, {"mlp_bias", nullptr}};
const json qwen3 = {{"architectures", {"Qwen3ForCausalLM"}},
                    {"model_type", "qwen3"},
                    {"mlp_bias", nullptr},
                    {"head_dim", 16}};
const json llama3_rope = {{"rope_scaling",
                           {{"rope_type", "llama3"},
                            {"factor", 8.0},
                            {"low_freq_factor", 1.0},
                            {"high_freq_factor", 4.0},
                            {"original_max_position_embeddings", 32}}},
                          {"head_dim", 16}};
const json yarn_rope = {{"rope_scaling",
                         {{"rope_type", "yarn"},
                          {"factor", 4.0},
                          {"original_max_position_embeddings", 16},
                          {"beta_fast", 24.0}}}};

}  // namespace

TEST_CASE("a dense model written as GGUF is the same model again") {
  json mistral = {{"architectures", {"MistralForCausalLM"}},
                  {"model_type", "mistral"},
                  {"sliding_window", 48},
                  {"attention_bias", nullptr},
                  {"mlp_bias", nullptr},
                  {"head_dim", 16}};
  json granite = {{"architectures", {"GraniteForCausalLM"}},
                  {"model_type", "granite"},
                  {"embedding_multiplier", 12.0},
                  {"attention_multiplier", 0.25},
                  {"residual_multiplier", 0.22},
                  {"logits_scaling", 8.0}};
  struct Case {
    const char* what;
    const char* arch;
    ModelShape shape;
  };
  std::vector<Case> cases{
      {"Llama", "llama", shape_of(plain)},
      {"Llama in F32 with a head of its own", "llama", shape_of(plain, DType::f32, false)},
      {"Llama in F16", "llama", shape_of({{"head_dim", 24}}, DType::f16)},
      {"Llama 3", "llama", shape_of(llama3_rope)},
      {"Llama with linear rope", "llama",
       shape_of({{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}}})},
      {"Llama with yarn", "llama", shape_of(yarn_rope)},
      {"Mistral", "llama", shape_of(mistral)},
      {"Qwen2", "qwen2", shape_of(qwen2, DType::bf16, false)},
      {"Qwen3", "qwen3", shape_of(qwen3)},
      {"Granite", "granite", shape_of(granite)}};
  cases.push_back({"Llama with biases", "llama", shape_of(plain)});
  cases.back().shape.attention_bias = cases.back().shape.mlp_bias = true;
  for (const Case& test : cases) {
    CAPTURE(test.what);
    const TemporaryFolder folder;
    write_pico_model(folder / "model", test.shape);
    const auto files = write(folder / "model", folder / "m.gguf", precision_of(test.shape.dtype));
    CHECK(files == std::vector<fs::path>{folder / "m.gguf"});
    const auto gguf = Gguf::open(folder / "m.gguf");
    CHECK(gguf.metadata.text("general.architecture") == test.arch);
    CHECK(gguf.metadata.text("general.name") == "model");
    const auto before = Checkpoint::open(folder / "model"), after = Checkpoint::open(folder / "m.gguf");
    check_same_tensors(before, after);
    json wanted = to_json(before.config()), found = to_json(after.config());
    CHECK(found.diff(found, wanted).dump() == "[]");
  }
}

TEST_CASE("Q8_0 keeps vectors, and a file of Q8_0 is written again as it is") {
  const TemporaryFolder folder;
  ModelShape shape;  // rows of 32 and 48: the latter are no whole blocks
  shape.attention_bias = true;
  write_pico_model(folder / "model", shape);
  write(folder / "model", folder / "m.gguf", GgufPrecision::q8_0);
  const auto gguf = Gguf::open(folder / "m.gguf");
  CHECK(gguf.metadata.whole("general.file_type") == 7);
  CHECK(gguf.metadata.whole("general.quantization_version") == 2);
  for (const TensorView& view : gguf.tensors) {
    CAPTURE(view.name);
    const std::string wanted = view.shape.size() == 1 ? "F32" : view.shape.back() == 48 ? "F16" : "Q8_0";
    CHECK(view.stored->name == wanted);
  }
  const auto before = Checkpoint::open(folder / "model"), after = Checkpoint::open(folder / "m.gguf");
  for (const auto& [name, view] : before.store().tensors()) {
    const auto a = exact_values(view), b = exact_values(after.store().at(name));
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
      largest = std::max(largest, std::abs(static_cast<double>(a[i])));
    }
    CAPTURE(name);
    CHECK(worst <= largest / 127 * 0.52);
    if (view.shape.size() == 1) CHECK(a == b);
  }
  write(folder / "m.gguf", folder / "again.gguf", GgufPrecision::q8_0);
  const auto again = Gguf::open(folder / "again.gguf");
  REQUIRE(again.tensors.size() == gguf.tensors.size());
  for (std::size_t i = 0; i < gguf.tensors.size(); ++i) {
    CAPTURE(gguf.tensors[i].name);
    CHECK(again.tensors[i].name == gguf.tensors[i].name);
    CHECK(std::ranges::equal(again.tensors[i].bytes, gguf.tensors[i].bytes));
  }
}

TEST_CASE("a split dense model is read from any part") {
  const TemporaryFolder folder;
  write_pico_model(folder / "model");
  const auto files = write(folder / "model", folder / "m.gguf", GgufPrecision::f32, 20'000);
  CHECK(files.size() > 2);
  check_same_tensors(Checkpoint::open(folder / "model"), Checkpoint::open(files.back()));
}

TEST_CASE("rows of q and k alternate between the halves of a head") {
  std::vector<float> rows(2 * 8 * 3);
  std::iota(rows.begin(), rows.end(), 0.0F);
  const auto result = interleaved_rows(rows, 2, 3);
  // Row 0 of a head of 8 stays, row 4 comes second.
  for (const auto& [to, from] : {std::pair{0, 0}, {1, 4}, {2, 1}, {3, 5}, {7, 7}, {8, 8}, {9, 12}, {15, 15}})
    for (int column = 0; column < 3; ++column)
      CHECK(result[static_cast<std::size_t>(to * 3 + column)] ==
            rows[static_cast<std::size_t>(from * 3 + column)]);
  CHECK(interleaved_rows(std::vector<float>{1, 2, 3, 4}, 1, 1) == std::vector<float>{1, 3, 2, 4});
}

TEST_CASE("llama3 becomes divisors of frequencies") {
  CHECK(gguf_rope_tensors(config_of(plain)).empty());
  auto config = config_of(llama3_rope);
  const auto tensors = gguf_rope_tensors(config);
  REQUIRE(tensors.size() == 1);
  CHECK(tensors[0].spec.name == "rope_freqs.weight");
  CHECK(tensors[0].spec.shape == std::vector<std::int64_t>{8});
  const auto divisors = tensors[0].values();
  CHECK(divisors.front() == 1);  // a wave of 2 pi: shorter than 32 / 4
  CHECK(divisors.back() == 8);   // longer than 32
  // The second wave is 2 pi * 10000^(1/8) = 19.87 long: 32 / 19.87 = 1.6106 turns, smooth = 0.20352.
  CHECK(divisors[1] == doctest::Approx(1 / ((1 - 0.20352) / 8 + 0.20352)).epsilon(1e-4));
}

TEST_CASE("longrope becomes two lists of divisors") {
  json rope = {{"type", "longrope"},
               {"short_factor", {1.0, 1.5, 2.0, 2.5}},
               {"long_factor", {1.0, 2.0, 4.0, 8.0}},
               {"original_max_position_embeddings", 16}};
  const auto config = config_of({{"rope_scaling", rope}});
  const auto tensors = gguf_rope_tensors(config);
  REQUIRE(tensors.size() == 2);
  CHECK(tensors[0].spec.name == "rope_factors_long.weight");
  CHECK(tensors[0].values() == std::vector<float>{1, 2, 4, 8});
  CHECK(tensors[1].spec.name == "rope_factors_short.weight");
  CHECK(tensors[1].values() == std::vector<float>{1, 1.5F, 2, 2.5F});
  const TemporaryFolder folder;
  write_pico_model(folder / "model", shape_of({{"rope_scaling", rope}}));
  write(folder / "model", folder / "m.gguf", GgufPrecision::bf16);
  const auto after = Checkpoint::open(folder / "m.gguf").config();
  CHECK(after.rope_scaling.kind == RopeScaling::Kind::longrope);
  CHECK(after.rope_scaling.long_factors == config.rope_scaling.long_factors);
  CHECK(after.rope_scaling.original_positions == 16);
  CHECK(after.rope_scaling.attention_factor == doctest::Approx(config.rope_scaling.attention_factor));
}

TEST_CASE("architectures say what they lack") {
  const auto problems = [](const json& extra, const char* arch, bool dense_ffns = false) {
    std::string said;
    for (const Problem& problem : gguf_arch_problems(config_of(extra), gguf_arch(arch), dense_ffns)) {
      said += problem.message;
      CHECK(problem.hint.find("{format}") != std::string::npos);
    }
    return said;
  };
  const auto lacks = [&](const char* what, const json& extra, const char* arch) {
    const auto said = problems(extra, arch);
    INFO("said: ", said);
    CHECK(said.find(what) != std::string::npos);
  };
  for (const char* arch : {"llama", "granite", "granitemoe", "qwen2", "qwen2moe", "glm4moe"})
    CHECK(problems(plain, arch) == "");
  const json biased = {{"attention_bias", true}, {"mlp_bias", true}};
  CHECK(problems(biased, "llama", true) == "");
  CHECK(problems(biased, "granitemoe") == "");
  lacks("The GGUF architecture glm4moe has no bias of the attention's output.", biased, "glm4moe");
  CHECK(problems({{"mlp_bias", true}}, "glm4moe") == "");
  CHECK(problems({{"mlp_bias", true}}, "glm4moe", true).find("no biases in dense FFNs") != std::string::npos);
  CHECK(problems(llama3_rope, "granitemoe") == "");
  lacks("no factors of rotary frequencies (rope type llama3)", llama3_rope, "glm4moe");
  lacks("heads that together have the hidden size (4 x 16 is not 32)", {{"head_dim", 16}}, "qwen2moe");
  lacks("has no norms of queries and keys", qwen3, "llama");
  CHECK(problems(qwen3, "glm4moe") == "");
  CHECK(problems(qwen3, "qwen3") == "");
  lacks("needs norms of queries and keys", plain, "qwen3");
  lacks("has no word for the rope type dynamic", {{"rope_scaling", {{"type", "dynamic"}, {"factor", 2.0}}}},
        "llama");
  CHECK(problems(yarn_rope, "qwen2") == "");
  json odd = yarn_rope;
  odd["rope_scaling"]["attention_factor"] = 1.5;
  lacks("no word for this model's yarn", odd, "llama");
  json layered = qwen2;
  layered.update({{"use_sliding_window", true}, {"max_window_layers", 1}, {"sliding_window", 16}});
  lacks("in which layers the sliding window holds", layered, "qwen2");
  const json granite = {
      {"architectures", {"GraniteForCausalLM"}}, {"model_type", "granite"}, {"logits_scaling", 8.0}};
  lacks("has no multipliers", granite, "llama");
  CHECK(problems(granite, "granitemoe") == "");
  const json phi = {{"architectures", {"Phi3ForCausalLM"}},
                    {"model_type", "phi3"},
                    {"partial_rotary_factor", 0.5},
                    {"attention_bias", nullptr},
                    {"mlp_bias", nullptr},
                    {"original_max_position_embeddings", 64}};
  lacks("rotates whole heads", phi, "llama");
  CHECK(problems(phi, "glm4moe") == "");
  CHECK(dense_gguf_arch(config_of(phi)) == nullptr);
  CHECK_THROWS_AS(gguf_arch("t5"), Error);
  GgufKeys keys;
  check_refused("no factors of rotary frequencies",
                [&] { add_gguf_attention_keys(keys, config_of(llama3_rope), gguf_arch("glm4moe")); });
}

TEST_CASE("each architecture has its own names and its head") {
  const TemporaryFolder folder;
  write_pico_model(folder / "model");
  const auto checkpoint = Checkpoint::open(folder / "model");
  const auto names = [](const std::vector<GgufTensor>& tensors) {
    std::vector<std::string> found;
    for (const GgufTensor& tensor : tensors) found.push_back(tensor.spec.name);
    return found;
  };
  const auto bf16 = GgufPrecision::bf16;
  CHECK(names(gguf_first_tensors(checkpoint, bf16)) == std::vector<std::string>{"token_embd.weight"});
  CHECK(names(gguf_attention_tensors(checkpoint, 1, gguf_arch("glm4moe"), bf16)) ==
        std::vector<std::string>{"blk.1.attn_norm.weight", "blk.1.attn_q.weight", "blk.1.attn_k.weight",
                                 "blk.1.attn_v.weight", "blk.1.attn_output.weight",
                                 "blk.1.post_attention_norm.weight"});
  CHECK(names(gguf_dense_ffn_tensors(checkpoint, 0, bf16)) ==
        std::vector<std::string>{"blk.0.ffn_gate.weight", "blk.0.ffn_up.weight", "blk.0.ffn_down.weight"});
  CHECK(names(gguf_last_tensors(checkpoint, gguf_arch("llama"), bf16)) ==
        std::vector<std::string>{"output_norm.weight"});
  const auto last = gguf_last_tensors(checkpoint, gguf_arch("qwen2moe"), bf16);
  CHECK(names(last) == std::vector<std::string>{"output_norm.weight", "output.weight"});
  CHECK(last[1].values() == exact_values(checkpoint.tensor(Role::embedding)));
  // Only interleaving architectures change the order of rows.
  const auto q = exact_values(checkpoint.tensor(Role::q, 0));
  CHECK(gguf_attention_tensors(checkpoint, 0, gguf_arch("glm4moe"), bf16)[1].values() == q);
  CHECK(gguf_attention_tensors(checkpoint, 0, gguf_arch("granitemoe"), bf16)[1].values() ==
        interleaved_rows(q, 4, 32));
}
