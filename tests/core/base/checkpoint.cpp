#include "checkpoint/checkpoint.h"

#include <atomic>
#include <bit>
#include <fstream>
#include <functional>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "checkpoint/constant_ffn.h"
#include "support/pico_model.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

// Overwrites two or four bytes of a tensor in place.
template <class Bits>
void poke(const fs::path& folder, const std::string& tensor, std::size_t element, Bits bits) {
  const fs::path file = folder / "model.safetensors";
  std::size_t offset = 0;
  {
    const TensorStore store = TensorStore::open(file);
    std::size_t data = 0;  // the tensors have no gaps and end at the file's end
    for (const auto& [name, view] : store.tensors()) data += view.bytes.size();
    const std::byte* first = store.at(tensor).bytes.data();
    for (const auto& [name, view] : store.tensors()) first = std::min(first, view.bytes.data());
    offset = fs::file_size(file) - data + static_cast<std::size_t>(store.at(tensor).bytes.data() - first);
  }
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(static_cast<std::streamoff>(offset + element * sizeof bits));
  out.write(reinterpret_cast<const char*>(&bits), sizeof bits);
}

// Writes the pico model again with the tensor list changed.
void rewrite(const fs::path& folder, const std::function<void(std::vector<TensorSpec>&)>& change) {
  const TensorStore store = TensorStore::open(folder);
  std::vector<TensorSpec> specs;
  for (const auto& [name, view] : store.tensors()) specs.push_back({name, view.dtype, view.shape});
  change(specs);
  write_sharded(folder, specs, UINT64_MAX,
                [](const TensorSpec& spec) { return std::vector<std::byte>(spec.bytes()); });
}

bool mentions(const std::vector<Problem>& problems, const std::string& part) {
  return std::any_of(problems.begin(), problems.end(),
                     [&](const Problem& problem) { return problem.message.find(part) != std::string::npos; });
}

std::vector<Problem> problems_of(const fs::path& folder) { return Checkpoint::examine(folder).problems; }

}  // namespace

TEST_CASE("a pico model opens in every shape") {
  for (const ModelShape& pico :
       {ModelShape{}, ModelShape{.tied_head = false}, ModelShape{.attention_bias = true},
        ModelShape{.mlp_bias = true}, ModelShape{.dtype = DType::bf16}}) {
    TemporaryFolder folder;
    write_pico_model(folder.path(), pico);
    const Checkpoint checkpoint = Checkpoint::open(folder.path());
    CHECK(checkpoint.tensor(Role::down, 1).name == "model.layers.1.mlp.down_proj.weight");
    CHECK(checkpoint.tensor(Role::k, 0).shape == std::vector<std::int64_t>{16, 32});
    CHECK(checkpoint.tensor(Role::gate, 0).dtype == pico.dtype);
    CHECK(checkpoint.has(Role::head) == !pico.tied_head);
    CHECK(checkpoint.has(Role::q_bias, 1) == pico.attention_bias);
    CHECK(checkpoint.has(Role::down_bias, 0) == pico.mlp_bias);
    CHECK_FALSE(checkpoint.has(Role::gate, 2));
    CHECK(find_bad_weights(checkpoint, Context()).empty());
  }
}

TEST_CASE("a folder that holds no model is refused with the reason") {
  TemporaryFolder folder;
  CHECK(mentions(problems_of(folder / "absent"), "There is no folder"));
  CHECK(mentions(problems_of(folder.path()), "no config.json"));
  CHECK(mentions(problems_of(folder.path()), "no model.safetensors"));
  write_file(folder / "config.json", "{\"a\":");
  CHECK(mentions(problems_of(folder.path()), "config.json is not valid JSON"));
  write_file(folder / "pytorch_model.bin", "x");
  const auto problems = problems_of(folder.path());
  CHECK(mentions(problems, "only as pytorch_model.bin"));
  CHECK(problems.back().hint.find("safetensors") != std::string::npos);
  CHECK_THROWS_AS(Checkpoint::open(folder.path()), Refusal);
}

TEST_CASE("what lies in place of a folder is told apart") {
  TemporaryFolder folder;
  write_pico_model(folder / "model", {});
  CHECK(mentions(problems_of(folder / "model/model.safetensors"), "is a file, not a folder"));
  CHECK(problems_of(folder / "model/model.safetensors").front().hint.find((folder / "model").string()) !=
        std::string::npos);
  fs::create_symlink(folder / "gone", folder / "link");
  CHECK(mentions(problems_of(folder / "link"), "is a link to"));
  CHECK(mentions(problems_of(folder / "link"), "which does not exist"));
  for (const char* file : {"model.safetensors", "config.json"}) {
    const fs::path path = folder / "model" / file;
    fs::rename(path, folder / "away");
    fs::create_symlink(folder / "blob", path);
    CAPTURE(file);
    CHECK(mentions(problems_of(folder / "model"), path.string() + " is a link to"));
    fs::remove(path);
    fs::rename(folder / "away", path);
  }
}

TEST_CASE("checkpoints that are not read are recognised in one sentence with a remedy") {
  const struct {
    const char* file;
    const char* sentence;
  } folders[] = {
      {"recipe.json", "contains a run"},
      {"adapter_config.json", "contains a LoRA adapter"},
      {"adapter_model.safetensors", "contains a LoRA adapter"},
      {"model-00001-of-00002.safetensors", "in shards (model-00001-of-00002.safetensors)"},
      {"consolidated.00.pth", "Mistral's own format (consolidated.00.pth)"},
      {"consolidated.safetensors", "own format (consolidated.safetensors)"},
      {"weights.safetensors", "the folder's safetensors file is weights.safetensors"},
      {"llama-q4_k_m.gguf", "a GGUF file (llama-q4_k_m.gguf)"},
      {"pytorch_model-00001-of-00002.bin", "only as pytorch_model-00001-of-00002.bin"},
      {"tf_model.h5", "another framework (tf_model.h5)"},
  };
  for (const auto& row : folders) {
    for (const bool with_config : {true, false}) {
      CAPTURE(row.file);
      TemporaryFolder folder;
      if (with_config) write_json(folder / "config.json", config_json({}));
      write_file(folder / row.file, "x");
      const auto problems = problems_of(folder.path());
      REQUIRE(problems.size() == 1);
      CHECK(mentions(problems, row.sentence));
      CHECK_FALSE(problems.front().hint.empty());
    }
  }
}

TEST_CASE("tensors that do not fit are recognised by their names, in one sentence") {
  const struct {
    std::function<std::string(const std::string&)> rename;
    const char* sentence;
  } rows[] = {
      {[](const std::string& name) { return "language_model." + name; }, "part of a larger model"},
      {[](const std::string& name) { return "model.language_model." + name; }, "part of a larger model"},
      {[](const std::string& name) { return "_orig_mod." + name; }, "torch.compile"},
      {[](const std::string& name) { return "student.inner." + name; }, "begin otherwise than LLaMA's"},
      {[](const std::string& name) { return name.starts_with("model.") ? name.substr(6) : name; },
       "there is embed_tokens.weight, but no model.embed_tokens.weight"},
      {[](const std::string& name) {
         return name.ends_with("up_proj.weight") ? name.substr(0, name.size() - 7) + ".q_weight" : name;
       },
       "EXL2"},
      {[](const std::string& name) {
         return name.ends_with("up_proj.weight") ? name.substr(0, name.size() - 7) + ".scales" : name;
       },
       "MLX"},
      {[](const std::string& name) {
         return name.ends_with("up_proj.weight") ? "vision_tower." + name : name;
       },
       "part of a larger model"},
      {[](const std::string& name) { return "module." + name; }, "data-parallel"},
      {[](const std::string& name) { return "base_model.model." + name; }, "from inside PEFT"},
      {[](const std::string& name) {
         return name.ends_with("gate_proj.weight") ? name.substr(0, name.size() - 7) + ".qweight" : name;
       },
       "AWQ or GPTQ"},
      {[](const std::string& name) { return name.ends_with("up_proj.weight") ? name + "_scale_inv" : name; },
       "FP8"},
      {[](const std::string& name) { return name.ends_with("up_proj.weight") ? name + ".absmax" : name; },
       "bitsandbytes"},
      {[](const std::string& name) {
         return name == "model.embed_tokens.weight" ? "tok_embeddings.weight" : name;
       },
       "Meta's own format"},
      {[](const std::string& name) {
         return name.ends_with("up_proj.weight")
                    ? name.substr(0, name.find(".mlp")) + ".mlp.experts.0.up_proj.weight"
                    : name;
       },
       "Mixture-of-Experts"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.sentence);
    TemporaryFolder folder;
    write_pico_model(folder.path(), {});
    rewrite(folder.path(), [&](std::vector<TensorSpec>& specs) {
      for (TensorSpec& spec : specs) spec.name = row.rename(spec.name);
    });
    const auto problems = problems_of(folder.path());
    REQUIRE(problems.size() == 1);
    CHECK(mentions(problems, row.sentence));
    CHECK_FALSE(problems.front().hint.empty());
  }
}

TEST_CASE("files that stand in for what their names promise are named") {
  for (const auto& [bytes, sentence] :
       {std::pair{"version https://git-lfs.github.com/spec/v1\noid sha256:0a\n", "Git LFS pointer"},
        std::pair{"<!DOCTYPE html><html>Sign in</html>", "a web page"}})
    for (const char* file : {"model.safetensors", "config.json"}) {
      TemporaryFolder folder;
      write_pico_model(folder.path(), {});
      write_file(folder / file, bytes);
      CHECK(mentions(problems_of(folder.path()), sentence));
      CHECK(mentions(problems_of(folder.path()), file));
    }
}

TEST_CASE("an adapter beside the model is refused: it would make another model") {
  TemporaryFolder folder;
  write_pico_model(folder.path(), {});
  write_file(folder / "adapter_config.json", "{}");
  CHECK(mentions(problems_of(folder.path()), "An adapter is next to the model (adapter_config.json)"));
}

TEST_CASE("every missing, misshaped or unreadable tensor is listed") {
  TemporaryFolder folder;
  write_pico_model(folder.path(), {.tied_head = false});
  rewrite(folder.path(), [](std::vector<TensorSpec>& specs) {
    std::erase_if(specs, [](const TensorSpec& spec) {
      return spec.name == "lm_head.weight" || spec.name == "model.layers.1.mlp.up_proj.weight";
    });
    for (TensorSpec& spec : specs) {
      if (spec.name == "model.norm.weight") spec.shape = {31};
      if (spec.name == "model.layers.0.mlp.up_proj.weight") spec.dtype = DType::i64;
    }
    specs.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", DType::f32, {4}});
    specs.push_back({"model.layers.0.self_attn.q_proj.bias", DType::f32, {32}});
  });
  try {
    Checkpoint::open(folder.path());
    FAIL("opened");
  } catch (const Refusal& refusal) {
    CHECK(refusal.problems().size() == 5);
    CHECK(mentions(refusal.problems(), "lm_head.weight of shape [4096, 32] is missing"));
    CHECK(mentions(refusal.problems(), "model.layers.1.mlp.up_proj.weight of shape [48, 32] is missing"));
    CHECK(mentions(refusal.problems(), "model.norm.weight has shape [31], but config.json asks for [32]"));
    CHECK(mentions(refusal.problems(), "model.layers.0.mlp.up_proj.weight has dtype I64"));
    CHECK(mentions(refusal.problems(), "q_proj.bias has no place in LlamaForCausalLM"));
    for (const Problem& problem : refusal.problems()) CHECK_FALSE(problem.hint.empty());
  }
}

TEST_CASE("a dtype that is not computed with is named once, however many tensors have it") {
  TemporaryFolder folder;
  write_pico_model(folder.path(), {});
  rewrite(folder.path(), [](std::vector<TensorSpec>& specs) {
    for (TensorSpec& spec : specs)
      if (spec.name.find("_proj.") != std::string::npos) spec.dtype = DType::i64;
  });
  const auto problems = problems_of(folder.path());
  REQUIRE(problems.size() == 1);
  CHECK(
      mentions(problems, "_proj.weight and 13 more have dtype I64, which this program cannot compute with"));
}

TEST_CASE("an index that names no tensor gives a list of what is missing") {
  TemporaryFolder folder;
  write_json(folder / "config.json", config_json({}));
  write_file(folder / "model.safetensors.index.json", "{\"weight_map\":{}}");
  const auto problems = problems_of(folder.path());
  CHECK(mentions(problems, "model.embed_tokens.weight of shape [4096, 32] is missing"));
  CHECK(problems.size() == 9);
  CHECK(mentions(problems, "12 more tensors do not fit"));
}

TEST_CASE("a stored head that differs from a tied embedding is used, with a warning; a copy is not") {
  TemporaryFolder folder;
  for (const DType head : {DType::f32, DType::bf16})
    for (const bool copied : {true, false}) {
      write_pico_model(folder.path());
      rewrite(folder.path(), [&](std::vector<TensorSpec>& specs) {
        specs.push_back({"lm_head.weight", head, {4096, 32}});
      });
      // -0 equals 0; 0x3f80 is the 1 of BF16, and the upper half of the 1 of F32.
      if (head == DType::bf16)
        poke<std::uint16_t>(folder.path(), "lm_head.weight", 77, copied ? 0x8000 : 0x3f80);
      if (head == DType::f32 && !copied)
        poke<std::uint32_t>(folder.path(), "lm_head.weight", 77, 0x3f800000u);
      const auto found = Checkpoint::examine(folder.path());
      REQUIRE(found.opened);
      CHECK(found.opened->has(Role::head) == !copied);
      CHECK(found.opened->config().tied_head == copied);
      CHECK(mentions(found.warnings, "the stored lm_head.weight differs from model.embed_tokens.weight") ==
            !copied);
      CHECK(found.warnings.size() == (copied ? 0 : 1));
    }
}

TEST_CASE("a single file beside an index is used; the index is compared with it") {
  TemporaryFolder folder;
  write_pico_model(folder.path());
  const TensorStore store = TensorStore::open(folder.path());
  std::vector<TensorSpec> specs;
  for (const auto& [name, view] : store.tensors()) specs.push_back({name, view.dtype, view.shape});
  const auto add_shards = [&](std::byte changed) {
    const TemporaryFolder shards;
    write_sharded(shards.path(), specs, 100'000, [&](const TensorSpec& spec) {
      const auto bytes = store.at(spec.name).bytes;
      std::vector<std::byte> copy(bytes.begin(), bytes.end());
      if (spec.name == "model.norm.weight") copy[0] ^= changed;
      return copy;
    });
    fs::copy(shards.path(), folder.path(),
             fs::copy_options::overwrite_existing | fs::copy_options::recursive);
  };
  add_shards(std::byte{0});
  REQUIRE(fs::exists(folder / "model.safetensors.index.json"));
  CHECK(Checkpoint::examine(folder.path()).warnings.empty());
  add_shards(std::byte{1});
  const auto found = Checkpoint::examine(folder.path());
  REQUIRE(found.opened);
  CHECK(found.opened->store().files().size() == 1);
  CHECK(mentions(found.warnings, "hold different weights"));
  for (const auto& entry : fs::directory_iterator(folder.path()))
    if (entry.path().filename().string().starts_with("model-")) fs::remove(entry.path());
  CHECK(mentions(Checkpoint::examine(folder.path()).warnings, "is next to model.safetensors but cannot"));
}

TEST_CASE("a text ends at the tokens of config.json and of generation_config.json") {
  TemporaryFolder folder;
  write_pico_model(folder.path());
  const auto with = [&](const std::string& content) {
    write_file(folder / "generation_config.json", content);
    return Checkpoint::examine(folder.path());
  };
  using Ids = std::vector<std::int64_t>;
  CHECK(with(R"({"eos_token_id": 2})").warnings.empty());
  CHECK(with(R"({"eos_token_id": null})").warnings.empty());
  CHECK(with("{}").warnings.empty());
  CHECK(with(R"({"eos_token_id": [2, 2]})").warnings.empty());
  const auto both = with(R"({"eos_token_id": [2, 426]})");
  CHECK(both.config.eos == Ids{2, 426});
  CHECK(both.opened->config().eos == Ids{2, 426});
  CHECK(mentions(both.warnings, "(eos_token_id): 2 and 2, 426."));
  CHECK(with(R"({"eos_token_id": 7})").config.eos == Ids{2, 7});
  CHECK(mentions(with(R"({"eos_token_id": [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]})").warnings,
                 "2 and 3, 4, 5, 6, 7, 8, 9, 10 and 2 more."));
  for (const char* bad : {"{", "{\"eos_token_id\": 4096}", "{\"eos_token_id\": \"2\"}"}) {
    CAPTURE(bad);
    const auto found = with(bad);
    CHECK(found.config.eos == Ids{2});
    CHECK(found.opened);
    CHECK(mentions(found.warnings, "generation_config.json"));
  }
}

TEST_CASE("an FFN whose output is constant is found by the tensor that is all zero") {
  const auto causes = [](const ModelShape& shape, const std::vector<std::string>& zero) {
    TemporaryFolder folder;
    write_pico_model(folder.path(), shape);
    const TensorStore store = TensorStore::open(folder.path());
    for (const std::string& name : zero) {
      const auto& view = store.at(name);
      for (std::size_t i = 0; i < view.bytes.size() / dtype_size(view.dtype); ++i)
        view.dtype == DType::f32
            ? poke<std::uint32_t>(folder.path(), name, i, i % 2 ? 0x80000000u : 0u)
            : poke<std::uint16_t>(folder.path(), name, i, static_cast<std::uint16_t>(i % 2 * 0x8000));
    }
    std::vector<std::string> found;
    for (const auto& ffn : find_constant_ffns(Checkpoint::open(folder.path()))) {
      CHECK(ffn.layer == 1);
      found.push_back(ffn.zero);
    }
    return found;
  };
  using Names = std::vector<std::string>;
  const std::string layer = "model.layers.1.", gate = layer + "mlp.gate_proj.weight",
                    up = layer + "mlp.up_proj.weight", down = layer + "mlp.down_proj.weight",
                    norm = layer + "post_attention_layernorm.weight";
  CHECK(causes({}, {}) == Names{});
  CHECK(causes({}, {layer + "input_layernorm.weight"}) == Names{});
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16})
    CHECK(causes({.dtype = dtype}, {norm}) == Names{norm});
  for (const std::string& name : {gate, up, down}) CHECK(causes({}, {name}) == Names{name});
  CHECK(causes({.mlp_bias = true}, {gate}) == Names{});  // the gate is constant, the FFN is linear
  CHECK(causes({.mlp_bias = true}, {gate, layer + "mlp.gate_proj.bias"}) == Names{gate});
  CHECK(causes({.mlp_bias = true}, {up, layer + "mlp.up_proj.bias"}) == Names{up});
  CHECK(causes({.mlp_bias = true}, {down}) == Names{down});
}

TEST_CASE("shapes are checked even when config.json has other problems") {
  TemporaryFolder folder;
  write_pico_model(folder.path());
  rewrite(folder.path(), [](std::vector<TensorSpec>& specs) { specs.erase(specs.begin()); });
  write_json(folder / "config.json", config_json({.extra = {{"hidden_act", "gelu"}}}));
  const auto problems = problems_of(folder.path());
  CHECK(mentions(problems, "hidden_act"));
  CHECK(mentions(problems, "is missing"));
}

TEST_CASE("NaN and Inf are found, with the tensor and the first position") {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    TemporaryFolder folder;
    write_pico_model(folder.path(), {.dtype = dtype});
    if (dtype == DType::f32) {
      poke<std::uint32_t>(folder.path(), "model.layers.1.mlp.gate_proj.weight", 1535, 0x7fc00000u);
      poke<std::uint32_t>(folder.path(), "model.norm.weight", 3, 0xff800000u);
      poke<std::uint32_t>(folder.path(), "model.norm.weight", 0, 0x7f7fffffu);  // the largest number is fine
    } else {
      poke<std::uint16_t>(folder.path(), "model.layers.1.mlp.gate_proj.weight", 1535, 0x7fc0u);
      poke<std::uint16_t>(folder.path(), "model.norm.weight", 3, 0xff80u);
    }
    const auto problems = find_bad_weights(Checkpoint::open(folder.path()), Context());
    CHECK(problems.size() == 2);
    CHECK(mentions(problems, "gate_proj.weight contains NaN or Inf; the first is element 1535"));
    CHECK(mentions(problems, "model.norm.weight contains NaN or Inf; the first is element 3"));
  }
}

TEST_CASE("reading all weights stops when asked to and reports how far it is") {
  TemporaryFolder folder;
  write_pico_model(folder.path());
  const Checkpoint checkpoint = Checkpoint::open(folder.path());
  const std::atomic<bool> cancel = true;
  CHECK_THROWS_AS(find_bad_weights(checkpoint, Context({}, &cancel)), Interrupted);
  std::vector<ProgressEvent> events;
  find_bad_weights(checkpoint,
                   Context([&](const Event& event) { events.push_back(std::get<ProgressEvent>(event)); }));
  REQUIRE_FALSE(events.empty());
  CHECK(events.back().done == events.back().total);
  CHECK(events.back().eta_s == 0);
}

TEST_CASE("the fingerprint depends on config, tensors and bytes, but not on the sharding") {
  TemporaryFolder folder;
  write_pico_model(folder.path());
  const auto fingerprint = [&] { return Checkpoint::open(folder.path()).fingerprint(); };
  const std::string original = fingerprint();
  CHECK(original.size() == 32);
  CHECK(fingerprint() == original);
  TemporaryFolder sharded;
  {
    const TensorStore store = TensorStore::open(folder.path());
    std::vector<TensorSpec> specs;
    for (const auto& [name, view] : store.tensors()) specs.push_back({name, view.dtype, view.shape});
    write_sharded(sharded.path(), specs, 20000, [&](const TensorSpec& spec) {
      const auto bytes = store.at(spec.name).bytes;
      return std::vector<std::byte>(bytes.begin(), bytes.end());
    });
    fs::copy_file(folder / "config.json", sharded / "config.json");
  }
  CHECK(Checkpoint::open(sharded.path()).fingerprint() == original);
  poke<std::uint32_t>(folder.path(), "model.layers.1.mlp.down_proj.weight", 17,
                      std::bit_cast<std::uint32_t>(0.25f));
  CHECK(fingerprint() != original);
  write_pico_model(folder.path(), {.extra = {{"rope_theta", 20000.0}}});
  CHECK(fingerprint() != original);
  write_pico_model(folder.path());
  CHECK(fingerprint() == original);
  // Only a sample of a tensor of more than 64 blocks of 4 KiB is read; it contains the first and the last
  // bytes.
  poke<std::uint32_t>(folder.path(), "model.embed_tokens.weight", 4096 * 32 - 1, 0);
  CHECK(fingerprint() != original);
}

TEST_CASE("the shared checkpoints open") {
  for (const char* name : {"demo", "bench", "stories260K"}) {
    const fs::path folder = fs::path(LADIMO_SHARED) / "models" / name;
    if (!fs::exists(folder)) {
      MESSAGE("skipped: there is no ", folder.string());
      continue;
    }
    const Checkpoint checkpoint = Checkpoint::open(folder);
    CHECK(find_bad_weights(checkpoint, Context()).empty());
  }
}
