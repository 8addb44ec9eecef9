// Every refusal: exit status 2, a sentence that names what is wrong, a hint, and nothing written.
#include <cmath>
#include <functional>
#include <limits>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "support/calibration_text.h"
#include "support/pico_model.h"
#include "support/process.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

struct Case {
  const char* name;
  std::vector<std::string> said;  // parts of what the user reads on stderr
  std::function<void(const fs::path& model, const fs::path& text)> spoil;
  std::vector<std::string> arguments = {};
};

void change_config(const fs::path& model, const nlohmann::json& patch) {
  auto json = read_json(model / "config.json");
  json.merge_patch(patch);
  write_json(model / "config.json", json);
}

void overwrite(const fs::path& file, std::size_t offset, const std::string& bytes) {
  auto content = read_file(file);
  content.replace(offset, bytes.size(), bytes);
  write_file(file, content);
}

/// Rewrites the weights in other sizes but keeps the folder's config, so that every FFN has the wrong shape.
void reshape(const fs::path& model) {
  const auto config = read_file(model / "config.json");
  ModelShape other;
  other.intermediate = 40;
  write_pico_model(model, other);
  write_file(model / "config.json", config);
}

void change_header(const fs::path& model, const std::function<void(nlohmann::json&)>& change) {
  const auto file = model / "model.safetensors";
  const auto content = read_file(file);
  std::uint64_t length = 0;
  std::memcpy(&length, content.data(), 8);
  auto header = nlohmann::json::parse(content.substr(8, length));
  change(header);
  const auto text = header.dump();
  const std::uint64_t new_length = text.size();
  std::string prefix(8, '\0');
  std::memcpy(prefix.data(), &new_length, 8);
  write_file(file, prefix + text + content.substr(8 + length));
}

void nothing(const fs::path&, const fs::path&) {}

const std::string gate0 = "model.layers.0.mlp.gate_proj.weight";

const std::vector<Case> cases = {
    {"missing folder",
     {"no folder"},
     [](auto& model, auto&) { fs::rename(model, model.string() + ".away"); }},
    {"no config", {"no config.json"}, [](auto& model, auto&) { fs::remove(model / "config.json"); }},
    {"config that is not JSON",
     {"config.json is not valid JSON"},
     [](auto& model, auto&) { write_file(model / "config.json", "{"); }},
    {"unknown architecture",
     {"GPTNeoXForCausalLM"},
     [](auto& model, auto&) {
       change_config(model, {{"architectures", {"GPTNeoXForCausalLM"}}});
     }},
    {"unknown rope type",
     {"ntk"},
     [](auto& model, auto&) {
       change_config(model, {{"rope_scaling", {{"rope_type", "ntk"}, {"factor", 4.0}}}});
     }},
    {"unknown activation",
     {"gelu"},
     [](auto& model, auto&) {
       change_config(model, {{"hidden_act", "gelu"}});
     }},
    {"a key that changes the computation",
     {"attn_logit_softcapping"},
     [](auto& model, auto&) {
       change_config(model, {{"attn_logit_softcapping", 50.0}});
     }},
    {"no weights",
     {"no model.safetensors"},
     [](auto& model, auto&) { fs::remove(model / "model.safetensors"); }},
    {"tensors missing, all listed",
     {gate0, "model.layers.1.self_attn.q_proj.weight"},
     [](auto& model, auto&) {
       change_header(model, [](nlohmann::json& header) {
         header["a"] = header[gate0];
         header["b"] = header["model.layers.1.self_attn.q_proj.weight"];
         header.erase(gate0);
         header.erase("model.layers.1.self_attn.q_proj.weight");
       });
     }},
    {"tensors misshaped, all listed",
     {gate0, "model.layers.1.mlp.down_proj.weight", "48", "40"},
     [](auto& model, auto&) { reshape(model); }},
    {"unknown dtype",
     {"F8_E4M3"},
     [](auto& model, auto&) {
       change_header(model, [](nlohmann::json& header) { header[gate0]["dtype"] = "F8_E4M3"; });
     }},
    {"NaN weights",
     {"NaN"},
     [](auto& model, auto&) {
       const float nan = std::numeric_limits<float>::quiet_NaN();
       const auto file = model / "model.safetensors";
       overwrite(file, fs::file_size(file) - 400, std::string(reinterpret_cast<const char*>(&nan), 4));
     }},
    {"truncated safetensors",
     {"model.safetensors", "ends at offset"},
     [](auto& model, auto&) {
       fs::resize_file(model / "model.safetensors", fs::file_size(model / "model.safetensors") / 2);
     }},
    {"empty safetensors",
     {"model.safetensors", "the file is empty"},
     [](auto& model, auto&) { fs::resize_file(model / "model.safetensors", 0); }},
    {"a header that lies about its length",
     {"model.safetensors", "length at offset 0"},
     [](auto& model, auto&) { overwrite(model / "model.safetensors", 0, std::string(8, '\x7f')); }},
    {"a header that lies about offsets",
     {gate0, "offset"},
     [](auto& model, auto&) {
       change_header(model, [](nlohmann::json& header) { header[gate0]["data_offsets"][1] = 1ULL << 60; });
     }},
    {"tokenizer missing",
     {"no tokenizer.model"},
     [](auto& model, auto&) { fs::remove(model / "tokenizer.model"); }},
    {"tokenizer broken",
     {"not a SentencePiece model"},
     [](auto& model, auto&) { write_file(model / "tokenizer.model", "no"); }},
    {"tokenizer with more pieces than embedding rows",
     {"4096 pieces", "1000 rows"},
     [](auto& model, auto&) {
       ModelShape small;
       small.vocab = 1000;
       write_pico_model(model, small);
     }},
    {"text missing", {"There is no file", "calibration.txt"}, [](auto&, auto& text) { fs::remove(text); }},
    {"empty text", {"calibration.txt contains no text"}, [](auto&, auto& text) { write_file(text, ""); }},
    {"fewer tokens than asked", {"too few tokens", "--tokens"}, nothing, {"--tokens", "9000000"}},
    {"zero experts", {"0 experts"}, nothing, {"--experts", "0"}},
    {"more experts than neurons", {"1000 experts", "48 neurons"}, nothing, {"--experts", "1000"}},
    {"everything shared", {"8 of 8 experts shared"}, nothing, {"--experts", "8", "--shared", "8"}},
    {"layers out of range", {"no layer 7"}, nothing, {"--layers", "0,7"}},
    {"layers that are no list", {"\"some\" is not a list of layers"}, nothing, {"--layers", "some"}},
    {"a window longer than the model's positions", {"64 positions"}, nothing, {"--window", "65"}},
    {"an unknown option", {"--quickly"}, nothing, {"--quickly"}},
    {"a seed of 30 digits", {"--seed", "30 digits", "too large"}, nothing, {"--seed", std::string(30, '9')}},
    {"a seed that is no number", {"--seed", "abc", "whole number"}, nothing, {"--seed", "abc"}},
    {"a device that does not exist", {"abacus"}, nothing, {"--device", "abacus"}},
    {"a GPU that does not exist", {"There is no"}, nothing, {"--device", "cuda:99"}},
};

}  // namespace

TEST_CASE("bad input is refused with a sentence and a hint, and nothing is written") {
  for (const Case& c : cases) {
    INFO(c.name);
    const TemporaryFolder folder;
    const auto model = folder / "model", text = folder / "calibration.txt", output = folder / "run";
    write_pico_model(model);
    write_text(text, 400);
    c.spoil(model, text);
    std::vector<std::string> arguments = {"convert", model, "-o", output, "--text", text, "--tokens", "4000"};
    if (!c.arguments.empty() && c.arguments.front() == "--tokens") arguments.resize(6);
    arguments.insert(arguments.end(), {"--held-out-tokens", "2000"});
    arguments.insert(arguments.end(), c.arguments.begin(), c.arguments.end());
    const auto finished = run(arguments);
    INFO(finished.err);
    CHECK(finished.status == 2);
    CHECK(finished.out.empty());
    CHECK(finished.err.find("hint:") != std::string::npos);
    for (const auto& part : c.said) {
      INFO(part);
      CHECK(finished.err.find(part) != std::string::npos);
    }
    CHECK_FALSE(fs::exists(output));
  }
}

TEST_CASE(
    "a plan larger than the free disk is refused; a run of another recipe too, with the difference named") {
  const TemporaryFolder folder;
  const auto model = folder / "model", text = folder / "calibration.txt", output = folder / "run";
  write_pico_model(model);
  write_text(text, 400);
  std::vector<std::string> arguments = {
      "convert",           model, "-o", output, "--text", text, "--tokens", "4000", "--experts", "8",
      "--held-out-tokens", "2000"};
  const auto full = run(arguments, {{"LADIMO_DISK_FREE_BYTES", "1000"}});
  CHECK(full.status == 2);
  CHECK(full.err.find("disk") != std::string::npos);
  CHECK_FALSE(fs::exists(output));

  REQUIRE(run(arguments).status == 0);
  const auto before = read_file(output / "recipe.json");
  arguments[9] = "12";
  const auto other = run(arguments);
  CHECK(other.status == 2);
  CHECK(other.err.find("experts") != std::string::npos);
  CHECK(other.err.find("12") != std::string::npos);
  CHECK(read_file(output / "recipe.json") == before);
}

TEST_CASE("commands on a folder that is not a run, or on a run without a policy, say what to do") {
  const TemporaryFolder folder;
  write_pico_model(folder / "model");
  for (const char* command : {"show", "policy"}) {
    const auto finished = run({command, folder / "model"});
    CHECK(finished.status == 2);
    CHECK(finished.err.find("hint:") != std::string::npos);
  }
  const auto error = run({"eval", folder / "nowhere", "--text", folder / "x.txt", "--json"});
  CHECK(error.status == 2);
  const auto json = nlohmann::json::parse(error.out);
  CHECK(json["error"]["hint"].get<std::string>().size() > 0);
}
