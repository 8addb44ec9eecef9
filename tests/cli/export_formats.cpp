// `ladimo export --format` and `convert --for`, run as commands: what a format can express is written and
// read back, what it cannot is refused with a hint, and a fit makes the one of the other.
#include <algorithm>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// A conversion with experts of 8 neurons, which need no filling up.
std::vector<std::string> convert_with_6(const Workplace& work, const fs::path& run,
                                        const std::vector<std::string>& more) {
  auto arguments = work.convert(run, more);
  *(std::ranges::find(arguments, "--experts") + 1) = "6";
  return arguments;
}

struct Example {
  Workplace work;
  fs::path run = work.folder / "run", made_for = work.folder / "made-for-granite";

  Example() {
    json_of(convert_with_6(work, run, {}));
    json_of({"policy", run, "--tradeoff", "0.6", "--kinds", "threshold", "--grains", "experts"});
    json_of(convert_with_6(work, made_for, {"--for", "granitemoeshared"}));
    json_of({"policy", made_for, "--tradeoff", "0.5"});
  }
};

const Example& example() {
  static const Example it;
  return it;
}

Finished refused(const std::vector<std::string>& arguments) {
  auto finished = run(arguments);
  INFO(finished.out);
  CHECK(finished.status == 2);
  return finished;
}

bool says(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

/// Nothing that an export left behind lies in the folder.
bool is_clean(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with(".")) return false;
  return true;
}

}  // namespace

TEST_CASE("--formats says what every format can express, and what the nearest policy is") {
  const auto formats = json_of({"export", "--formats", example().run})["formats"];
  REQUIRE(formats.size() == 9);
  CHECK(formats[0]["format"] == "native");
  CHECK(formats[0]["expressible"] == true);
  for (std::size_t i = 1; i < formats.size(); ++i) {
    check_keys(formats[i],
               {"title", "gguf", "reason", "hint", "dense_layers", "k", "kl", "activated_fraction", "bytes"});
    CHECK(formats[i]["possible"] == true);
    CHECK(formats[i]["expressible"] == false);
    CHECK(says(formats[i]["reason"], "threshold"));
    CHECK(formats[i]["k"].is_number());
    CHECK(formats[i]["activated_fraction"].get<double>() > 0);
  }
  const auto made_for = json_of({"export", "--formats", example().made_for})["formats"];
  for (const auto& format : made_for)
    if (format["format"] == "granitemoeshared") CHECK(format["expressible"] == true);
}

TEST_CASE("a threshold policy is refused, and a fit makes a model that every format can have") {
  const fs::path work = example().work.folder.path();
  for (const char* name : {"glm4moe", "granitemoeshared", "mixtral", "qwen2moe"}) {
    INFO(name);
    const auto folder = work / (std::string("folder-") + name), file = work / (std::string(name) + ".gguf");
    const auto refusal = refused({"export", example().run, "--format", name, "-o", folder}).err;
    CHECK(says(refusal, "--fit"));
    CHECK(says(refusal, "The closest policy it supports: k = "));
    CHECK(!exists(folder));
    const auto result = json_of({"export", example().run, "--format", name, "--fit", "-o", folder});
    CHECK(result["fit"]["fitted"]["kl"].get<double>() < result["fit"]["as_it_is"]["kl"].get<double>());
    CHECK(result["max_logit_error"].get<double>() < 1e-3);
    for (const char* written :
         {"config.json", "model.safetensors", "policy.json", "report.json", "README.md", "tokenizer.model"})
      CHECK(exists(folder / written));
    const auto report = read_json(folder / "report.json");
    CHECK(report["format"] == name);
    CHECK(report["fit"] == result["fit"]);
    CHECK(!says(read_file(folder / "README.md"), "trust_remote_code"));
    const auto gguf =
        json_of({"export", example().run, "--format", name, "--fit", "--gguf", "q8_0", "-o", file});
    CHECK(gguf["files"] == json{file.filename().string()});
    CHECK(says(read_file(file), "general.description"));
    CHECK(says(read_file(file), "KL to the dense model"));
    CHECK(is_clean(work));
  }
}

TEST_CASE("a fit can be trained for the policy that it is written under") {
  const auto folder = example().work.folder / "trained";
  const auto result =
      json_of({"export", example().run, "--format", "glm4moe", "--fit", "--finish", "2", "-o", folder});
  const auto& fit = result["fit"];
  CHECK(fit["finished"]["kl"].get<double>() < fit["fitted"]["kl"].get<double>());
  CHECK(fit["written"] == "finished");
  CHECK(fit["finished"]["activated_fraction"] == fit["fitted"]["activated_fraction"]);
  CHECK(result["max_logit_error"].get<double>() < 1e-3);
  CHECK(read_json(folder / "report.json")["fit"] == fit);
  CHECK(says(read_file(folder / "README.md"), "fitted and trained (this folder)"));
  CHECK(is_clean(example().work.folder.path()));
}

TEST_CASE("every layer keeps its own k through a fit where the format has room for it") {
  const auto& work = example().work.folder;
  const auto file = work / "several.json", folder = work / "several";
  auto policy = read_json(example().made_for / "policy.json");
  for (std::size_t l = 0; l < policy["layers"].size(); ++l) policy["layers"][l]["k"] = l + 1;
  write_file(file, policy.dump());
  const auto several = [&](const char* format, const fs::path& output) {
    return std::vector<std::string>{"export", example().made_for, "--policy", file, "--format", format, "-o",
                                    output};
  };
  CHECK(says(refused(several("granitemoeshared", folder)).err, "the same number of experts"));
  CHECK(!exists(folder));
  auto fitting = several("glm4moe", folder);
  fitting.emplace_back("--fit");
  const auto result = json_of(fitting);
  CHECK(result["max_logit_error"].get<double>() < 1e-3);
  const auto layers = read_json(folder / "policy.json")["layers"];
  for (std::size_t l = 0; l < layers.size(); ++l) {
    CHECK(layers[l]["kind"] == "top_k");
    CHECK(layers[l]["k"] == l + 1);
  }
  // Null experts are read too: every layer costs as much as that with the largest k.
  const auto share = [&](const char* state) {
    return result["fit"][state]["activated_fraction"].get<double>();
  };
  CHECK(share("fitted") > share("wanted"));
}

TEST_CASE("a run that was made for a format is written without a fit") {
  const auto folder = example().work.folder / "granite";
  const auto result = json_of({"export", example().made_for, "--format", "granitemoeshared", "-o", folder});
  CHECK(result["fit"].is_null());
  CHECK(result["kl_against_run"].get<double>() < 1e-3);
  const auto recipe = read_json(example().made_for / "recipe.json");
  CHECK(recipe["target"] == "granitemoeshared");
  CHECK(recipe["stage1"]["top_k"] == true);
  const auto policy = read_json(example().made_for / "policy.json")["layers"];
  for (const auto& layer : policy) {
    CHECK(layer["kind"] == "top_k");
    CHECK(layer["k"] == policy[0]["k"]);
  }
  // Any policy can still be asked for.
  const auto any = json_of({"policy", example().made_for, "--for", "none", "--tradeoff", "0.5", "-o",
                            example().work.folder / "any.json"});
  CHECK(any["layers"] != policy);
}

TEST_CASE("large GGUF files are split") {
  const auto folder = example().work.folder / "split";
  create_directories(folder);
  const auto result = json_of({"export", example().made_for, "--format", "granitemoeshared", "--gguf", "f32",
                               "--shard-bytes", "300000", "-o", folder / "model.gguf"});
  CHECK(result["files"].size() > 1);
  CHECK(result["files"][0].get<std::string>().starts_with("model-00001-of-"));
}

TEST_CASE("what cannot be is refused, and nothing is left behind") {
  const fs::path work = example().work.folder.path();
  const auto out = work / "out";
  CHECK(says(refused({"export", example().run, "--format", "olmoe", "-o", out}).err, "glm4moe"));
  CHECK(says(refused({"export", example().run, "--gguf", "f32", "-o", out}).err, "native"));
  CHECK(says(refused({"export", example().run, "--fit", "-o", out}).err, "nothing to fit"));
  CHECK(says(refused({"export", example().run, "--format", "glm4moe", "--finish", "1", "-o", out}).err,
             "Training needs a fit"));
  CHECK(says(refused({"export", example().run, "--format", "glm4moe", "--fit", "--finish", "1", "--memory",
                      "100MB", "-o", out})
                 .err,
             "may be used"));
  CHECK(says(refused({"export", example().run, "--format", "glm4moe", "--gguf", "f32", "-o", out}).err,
             ".gguf"));
  CHECK(says(refused({"export", example().run, "--format", "mixtral", "--all-policies", "-o", out}).err,
             "native"));
  CHECK(says(refused({"export", example().run, "--format", "mixtral"}).err, "-o"));
  CHECK(run({"export", example().run, "--format", "mixtral", "--gguf", "q3", "-o", out}).status == 2);
  CHECK(says(refused({"policy", example().run, "--for", "mixtral", "--speedup", "1.2"}).err, "--activated"));
  CHECK(says(refused({"policy", example().run, "--for", "gpt"}).err, "granitemoeshared"));
  CHECK(!exists(out));
  CHECK(is_clean(work));
}

TEST_CASE("a model that a class has no place for is refused before the conversion and at the export") {
  const Workplace biased({.layers = 3, .attention_bias = true});
  const auto run_folder = biased.folder / "run";
  CHECK(says(refused(biased.convert(run_folder, {"--for", "mixtral"})).err, "Mixtral"));
  json_of(biased.convert(run_folder, {"--layers", "0"}));
  json_of({"policy", run_folder, "--tradeoff", "1", "--grains", "experts"});
  for (const auto& format : json_of({"export", "--formats", run_folder})["formats"])
    if (format["format"] != "native" && format["gguf"] == false) {
      CHECK(format["possible"] == false);
      CHECK(format["hint"].is_string());
    }
  CHECK(says(refused({"export", run_folder, "--format", "mixtral", "--fit", "-o", biased.folder / "x"}).err,
             "bias"));
}
