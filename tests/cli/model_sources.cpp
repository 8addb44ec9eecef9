// Models whose files say one thing twice, name tokens that tokenizer.model does not know, or hold layers with
// nothing to convert: what the commands do and say.
#include <algorithm>
#include <cstddef>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "checkpoint/safetensors.h"
#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

void zero_tensor(const fs::path& folder, const std::string& name) {
  const TensorStore store = TensorStore::open(folder);
  std::vector<TensorSpec> specs;
  for (const auto& [tensor, view] : store.tensors()) specs.push_back({tensor, view.dtype, view.shape});
  write_sharded(folder, specs, UINT64_MAX, [&](const TensorSpec& spec) {
    const auto bytes = store.at(spec.name).bytes;
    return spec.name == name ? std::vector<std::byte>(bytes.size())
                             : std::vector<std::byte>(bytes.begin(), bytes.end());
  });
}

bool warns(const json& result, const std::string& part) {
  return std::ranges::any_of(result["warnings"], [&](const json& warning) {
    return warning["message"].get<std::string>().find(part) != std::string::npos &&
           !warning["hint"].get<std::string>().empty();
  });
}

std::vector<std::string> plan_of(std::vector<std::string> convert, std::vector<std::string> more = {}) {
  convert.front() = "plan";
  convert.insert(convert.end(), more.begin(), more.end());
  return convert;
}

}  // namespace

TEST_CASE("a layer whose FFN gives the same output for every input stays dense in every command") {
  const Workplace work;
  zero_tensor(work.model, "model.layers.1.mlp.down_proj.weight");
  const auto run_folder = work.folder / "run";
  const char* sentence = "The FFN of layer 1 gives the same output for every input";

  const auto inspected = run({"inspect", work.model, "--json"});
  CHECK(inspected.status == 0);
  CHECK(inspected.err.find(sentence) != std::string::npos);
  CHECK(warns(json::parse(inspected.out), sentence));
  const auto plan = json_of(plan_of(work.convert(run_folder)));
  CHECK(warns(plan, sentence));
  CHECK(plan["recipe"]["layers"] == json({0, 2}));
  CHECK(plan["constant_layers"] == json({1}));

  const auto converted = run(work.convert(run_folder));
  INFO(converted.err);
  REQUIRE(converted.status == 0);
  CHECK(converted.err.find(sentence) != std::string::npos);
  CHECK(fs::exists(run_folder / "layers" / "002.safetensors"));
  CHECK_FALSE(fs::exists(run_folder / "layers" / "001.safetensors"));
  CHECK(json_of(plan_of(work.convert(run_folder)))["resumes"] == true);
  CHECK(json_of({"policy", run_folder, "--activated", "0.98"})["layers"].size() == 3);
  CHECK(json_of({"eval", run_folder, "--text", work.held_out, "--tokens", "512", "--threads", "1"})
            .contains("kl"));

  const auto refused = run(work.convert(work.folder / "other", {"--layers", "1"}));
  CHECK(refused.status == 2);
  CHECK(refused.err.find("No layer is left to convert") != std::string::npos);
  CHECK_FALSE(fs::exists(work.folder / "other"));

  Workplace nothing;
  for (const char* layer : {"0", "1", "2"})
    zero_tensor(nothing.model, std::string("model.layers.") + layer + ".mlp.down_proj.weight");
  for (const auto& words :
       {std::vector<std::string>{"inspect", nothing.model}, nothing.convert(run_folder)}) {
    const auto all_constant = run(words);
    CHECK(all_constant.status == 2);
    CHECK(all_constant.err.find("There is nothing to convert") != std::string::npos);
    CHECK(all_constant.err.find("No layer is left") == std::string::npos);
  }

  const auto beyond = run({"compare", work.model, "--text", work.text, "--held-out", work.held_out,
                           "--tokens", "6000", "--experts", "12", "--methods", "static", "--ffn-activated",
                           "0.3", "--recipe", R"({"held_out_tokens": 2000})"});
  CHECK(beyond.status == 2);
  CHECK(beyond.err.find("the layers that stay dense take 0.333") != std::string::npos);
  const auto compared =
      run({"compare", work.model, "--text", work.text, "--held-out", work.held_out, "--tokens", "6000",
           "--experts", "12", "--threads", "1", "--held-out-tokens", "1000", "--ffn-activated", "0.7",
           "--recipe", R"({"held_out_tokens": 2000})", "--json"});
  INFO(compared.err);
  REQUIRE(compared.status == 0);
  CHECK(compared.err.find(sentence) != std::string::npos);
  for (const json& row : json::parse(compared.out)["rows"])
    CHECK(row["ffn_activated"].get<double>() == doctest::Approx(0.7).epsilon(0.02));
}

TEST_CASE("ids without a piece print nothing, and stop neither generation nor the model's own text") {
  const Workplace work;
  ModelShape wide;
  wide.vocab = 8192;  // half of the rows belong to no piece
  write_pico_model(work.model, wide);
  const auto generated = json_of({"generate", work.model, "--prompt", "the cat", "--max-tokens", "50",
                                  "--temperature", "1", "--threads", "1"});
  std::size_t unknown = 0;
  for (const json& token : generated["tokens"])
    if (token["id"] >= 4096) {
      ++unknown;
      CHECK(token["text"] == "");
    }
  CHECK(unknown > 0);
  auto self = work.convert(work.folder / "run");
  std::ranges::replace(self, work.text.string(), std::string("self"));
  const auto converted = run(self);
  INFO(converted.err);
  CHECK(converted.status == 0);
}

TEST_CASE("added tokens of a chat text are single ids, which plan counts and shows") {
  const Workplace work;
  ModelShape chat;
  chat.vocab = 4098;
  write_pico_model(work.model, chat);
  std::string text;
  const std::string prose = read_file(work.text);
  for (std::size_t begin = 0; begin < prose.size(); begin = prose.find("\n\n", begin)) {
    begin = prose.find_first_not_of('\n', begin);
    if (begin == std::string::npos) break;
    text +=
        "<|im_start|>assistant\n" + prose.substr(begin, prose.find("\n\n", begin) - begin) + "<|im_end|>\n\n";
    if (prose.find("\n\n", begin) == std::string::npos) break;
  }
  write_file(work.text, text);
  const auto look = [&] {
    return json_of(plan_of(work.convert(work.folder / "run"), {"--look", "1"}))["look"];
  };
  CHECK(look()["files"][0]["added_tokens"] == 0);
  write_json(work.model / "added_tokens.json", {{"<|im_start|>", 4096}, {"<|im_end|>", 4097}});
  const auto found = look();
  CHECK(found["files"][0]["added_tokens"] > 100);
  const auto tokens = found["windows"][0]["tokens"].get<std::vector<std::string>>();
  CHECK(std::ranges::count(tokens, "<|im_start|>") > 0);
  CHECK(json_of({"inspect", work.model})["warnings"].empty());
}

TEST_CASE("inspect and plan say which BOS, EOS and head are used where the files differ") {
  const Workplace work;
  CHECK(json_of({"inspect", work.model})["warnings"].empty());
  write_json(work.model / "tokenizer_config.json", {{"add_bos_token", false}});
  write_json(work.model / "generation_config.json", {{"eos_token_id", {2, 426}}});
  for (const json& result :
       {json_of({"inspect", work.model}), json_of(plan_of(work.convert(work.folder / "run")))}) {
    CHECK(
        warns(result, "config.json names token 1 as BOS, but tokenizer_config.json says that none is added"));
    CHECK(warns(result, "name different tokens that end a text (eos_token_id): 2 and 2, 426."));
  }
  const auto inspected = json_of({"inspect", work.model});
  CHECK(inspected["bos"] == -1);
  CHECK(inspected["eos"] == json({2, 426}));
}
