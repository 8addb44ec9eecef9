// `ladimo export`, run as a command: the native folder gives what the run gives under its policy, loads
// wherever a MODEL is asked for, and is refused by name when it is damaged.
#include <cstring>
#include <functional>

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

/// A run with a policy of all three kinds (layers 0 dense, 1 top-k, 2 threshold), and its export.
struct Example {
  Workplace work;
  fs::path run = work.folder / "run", native = work.folder / "native";

  Example() {
    json_of(work.convert(run));
    json_of({"policy", run, "--tradeoff", "1", "--pin", "0=dense", "--pin", "1=top2"});
    json_of({"eval", run});
    json_of({"export", run, "-o", native, "--shard-bytes", "300000"});
  }
};

const Example& example() {
  static const Example it;
  return it;
}

json eval(const fs::path& model, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"eval", model, "--text", example().work.held_out, "--threads", "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return json_of(arguments);
}

/// Changes the header of the shard that holds `name`.
void change_header(const fs::path& folder, const std::string& name,
                   const std::function<void(json&)>& change) {
  const fs::path file = TensorStore::open(folder).at(name).file;
  const auto content = read_file(file);
  std::uint64_t length = 0;
  std::memcpy(&length, content.data(), 8);
  auto header = json::parse(content.substr(8, length));
  change(header);
  const auto text = header.dump();
  const std::uint64_t new_length = text.size();
  std::string prefix(8, '\0');
  std::memcpy(prefix.data(), &new_length, 8);
  write_file(file, prefix + text + content.substr(8 + length));
}

}  // namespace

TEST_CASE(
    "the exported folder holds the weights that each layer's policy uses, in shards, and all other files") {
  const auto& e = example();
  for (const char* name : {"config.json", "policy.json", "report.json", "README.md", "tokenizer.model",
                           "model.safetensors.index.json", "configuration_ladimo.py", "modeling_ladimo.py"})
    CHECK(fs::exists(e.native / name));
  CHECK(read_json(e.native / "policy.json") == read_json(e.run / "policy.json"));
  const auto store = TensorStore::open(e.native);
  CHECK(store.files().size() > 1);
  CHECK(store.contains("model.layers.0.mlp.gate_proj.weight"));
  CHECK_FALSE(store.contains("model.layers.0.moe.gate"));
  CHECK_FALSE(store.contains("model.layers.1.mlp.gate_proj.weight"));
  CHECK(store.contains("model.layers.1.moe.router"));
  const auto config = read_json(e.native / "config.json");
  CHECK(config["model_type"] == "ladimo");
  CHECK(config["ladimo"]["origin"] == e.work.model.string());
  CHECK(config["architectures"] == json{"LadimoForCausalLM"});
  CHECK(config["auto_map"]["AutoModelForCausalLM"] == "modeling_ladimo.LadimoForCausalLM");
  const auto& layers = config["ladimo"]["layers"];
  for (std::size_t l = 0; l < 3; ++l)
    CHECK(layers[l]["policy"] == read_json(e.run / "policy.json")["layers"][l]);
  CHECK_FALSE(layers[0].contains("tensors"));
  for (const auto& [name, shape] : layers[1]["tensors"].items())
    CHECK(json(store.at("model.layers.1.moe." + name).shape) == shape);
  CHECK(layers[1]["tensors"].contains("router"));
  const auto report = read_json(e.native / "report.json");
  CHECK(report["verification"]["max_logit_error"] == 0.0);
  CHECK(report["measurements"].size() == 1);
  const auto card = read_file(e.native / "README.md");
  CHECK(card.find("predicted") != std::string::npos);
  CHECK(card.find("the run's held-out text") != std::string::npos);
  for (const auto& entry : fs::directory_iterator(e.work.folder.path()))
    CHECK(entry.path().filename().string().find(".tmp-") == std::string::npos);
}

TEST_CASE(
    "every command gives the same for the export as for the run; without the original, comparisons are "
    "null") {
  const auto& e = example();
  const auto expected = eval(e.run), found = eval(e.native);
  for (const char* key : {"kl", "perplexity", "dense_perplexity", "same_top", "activated_parameters"})
    CHECK(ladimo::testing::same_numbers(found[key], expected[key]));
  const std::vector<std::string> prompt = {"--prompt", "the cat", "--max-tokens", "6", "--threads", "1"};
  const auto generate = [&](const fs::path& model) {
    std::vector<std::string> arguments = {"generate", model};
    arguments.insert(arguments.end(), prompt.begin(), prompt.end());
    return json_of(arguments)["tokens"];
  };
  const auto tokens = generate(e.run);
  CHECK(generate(e.native) == tokens);
  const auto bench = json_of({"bench", e.native, "--threads", "1"});
  check_keys(bench["decode"], {"dense_tokens_per_s", "converted_tokens_per_s", "speedup", "bytes_per_token",
                               "bandwidth_fraction"});
  CHECK(bench["decode"]["speedup"].get<double>() ==
        doctest::Approx(bench["decode"]["converted_tokens_per_s"].get<double>() /
                        bench["decode"]["dense_tokens_per_s"].get<double>()));
  const auto inspected = json_of({"inspect", e.native});
  CHECK(inspected["native"]["converted_layers"] == json{1, 2});
  const auto convert = run({"convert", e.native, "-o", e.work.folder / "again", "--text", e.work.text});
  CHECK(convert.status == 2);
  CHECK(convert.err.find("already converted") != std::string::npos);
  Process server({"serve", e.native, "--threads", "1"});
  server.write("{\"id\":1,\"request\":\"generate\",\"prompt\":\"the\",\"max_tokens\":2}\n");
  server.wait_until([&] { return server.out_so_far().find("\"result\"") != std::string::npos; });
  CHECK(server.out_so_far().find("\"converted\":{") != std::string::npos);

  const auto moved = e.work.folder / "moved";
  fs::rename(e.work.model, moved);
  const auto alone = eval(e.native);
  CHECK(alone["kl"].is_null());
  CHECK(alone["dense_perplexity"].is_null());
  CHECK(ladimo::testing::same_numbers(alone["perplexity"], expected["perplexity"]));
  CHECK(ladimo::testing::same_numbers(alone["activated_parameters"], expected["activated_parameters"]));
  CHECK(ladimo::testing::same_numbers(eval(e.native, {"--dense", moved})["kl"], expected["kl"]));
  CHECK(generate(e.native) == tokens);
  const auto bench_alone = json_of({"bench", e.native, "--threads", "1"});
  CHECK(bench_alone["decode"]["dense_tokens_per_s"].is_null());
  CHECK(bench_alone["decode"]["speedup"].is_null());
  fs::rename(moved, e.work.model);
}

TEST_CASE("a folder of an earlier version, without Python files, gives the same") {
  const auto& e = example();
  const auto old = e.work.folder / "earlier";
  fs::copy(e.native, old);
  fs::remove(old / "configuration_ladimo.py");
  fs::remove(old / "modeling_ladimo.py");
  auto config = read_json(old / "config.json");
  config["architectures"] = config["ladimo"]["architectures"];
  config.erase("auto_map");
  config["ladimo"].erase("architectures");
  for (auto& layer : config["ladimo"]["layers"]) {
    layer.erase("policy");
    layer.erase("tensors");
  }
  write_json(old / "config.json", config);
  CHECK(ladimo::testing::same_numbers(eval(old)["kl"], eval(e.native)["kl"]));
}

TEST_CASE("with --all-policies any policy can be used, without the original") {
  const auto& e = example();
  const auto all = e.work.folder / "all";
  const auto written = json_of({"export", e.run, "-o", all, "--all-policies"});
  check_keys(written, {"format", "path", "files", "bytes", "max_logit_error", "kl_against_run"});
  CHECK(written["max_logit_error"] == 0.0);
  auto policy = read_json(e.run / "policy.json");
  policy["layers"][0] = {{"layer", 0}, {"kind", "top_k"}, {"k", 4}};
  policy["layers"][1] = {{"layer", 1}, {"kind", "dense"}};
  const auto file = e.work.folder / "other.json";
  write_json(file, policy);
  const auto moved = e.work.folder / "moved";
  fs::rename(e.work.model, moved);
  CHECK(eval(all, {"--policy", file})["kl"].get<double>() > 0);
  const auto refused = run({"eval", e.native, "--policy", file, "--text", e.work.held_out});
  CHECK(refused.status == 2);
  CHECK(refused.err.find("layer 0 sparse") != std::string::npos);
  policy["layers"][0] = {{"layer", 0}, {"kind", "dense"}};
  write_json(file, policy);
  const auto dense = run({"eval", e.native, "--policy", file, "--text", e.work.held_out});
  CHECK(dense.status == 2);
  CHECK(dense.err.find("--all-policies") != std::string::npos);
  fs::rename(moved, e.work.model);
}

TEST_CASE("an export that is not possible is refused and leaves no files") {
  const auto& e = example();
  const auto nowhere = (e.work.folder / "nowhere/model").string(), fresh = (e.work.folder / "fresh").string();
  auto foreign = read_json(e.run / "policy.json");
  foreign["model"]["fingerprint"] = std::string(32, '0');
  write_json(e.work.folder / "foreign.json", foreign);
  const std::vector<std::pair<std::vector<std::string>, const char*>> bad = {
      {{"export", e.run, "-o", e.native}, "already"},
      {{"export", e.run, "-o", nowhere}, "does not exist"},
      {{"export", e.run, "-o", fresh, "--format", "olmoe"}, "olmoe"},
      {{"export", e.run, "-o", fresh, "--format", "gguf"}, "cannot write the format"},
      {{"export", e.work.model, "-o", fresh}, "not a run"},
      {{"export", e.native, "-o", fresh}, "not a run"},
      {{"export", e.run, "-o", fresh, "--policy", "none.json"}, "no such policy"},
      {{"export", e.run, "-o", fresh, "--policy", e.work.folder / "foreign.json"}, "another checkpoint"},
  };
  for (const auto& [arguments, part] : bad) {
    const auto finished = run(arguments);
    INFO(finished.err);
    CHECK(finished.status == 2);
    CHECK(finished.err.find(part) != std::string::npos);
    CHECK(finished.err.find("hint:") != std::string::npos);
    CHECK_FALSE(fs::exists(fresh));
  }
  const auto full = run({"export", e.run, "-o", fresh}, {{"LADIMO_DISK_FREE_BYTES", "1000"}});
  CHECK(full.status == 2);
  const auto filled = run({"export", e.run, "-o", fresh}, {{"LADIMO_DISK_FULL_AFTER_BYTES", "100000"}});
  CHECK(filled.status == 1);
  for (const auto& entry : fs::directory_iterator(e.work.folder.path())) {
    CHECK(entry.path() != fs::path(fresh));
    CHECK(entry.path().filename().string().find(".tmp-") == std::string::npos);
  }
}

TEST_CASE("a damaged native folder is refused with the file, and the key or the offset") {
  struct Case {
    const char* name;
    std::function<void(const fs::path& folder)> spoil;
    std::vector<std::string> said;
  };
  const auto change_config = [](const std::function<void(json&)>& change) {
    return [change](const fs::path& folder) {
      auto config = read_json(folder / "config.json");
      change(config);
      write_json(folder / "config.json", config);
    };
  };
  const std::string router = "model.layers.1.moe.router";
  const std::vector<Case> cases = {
      {"no section", change_config([](json& c) { c.erase("ladimo"); }), {"config.json", "ladimo"}},
      {"another schema", change_config([](json& c) { c["ladimo"]["schema"] = "x"; }), {"ladimo.schema"}},
      {"no fingerprint",
       change_config([](json& c) { c["ladimo"].erase("fingerprint"); }),
       {"ladimo.fingerprint"}},
      {"too few layers",
       change_config([](json& c) { c["ladimo"]["layers"].erase(2); }),
       {"2 layers", "says 3"}},
      {"a layer without weights",
       change_config([](json& c) { c["ladimo"]["layers"][1]["weights"] = json::array(); }),
       {"ladimo.layers[1].weights"}},
      {"a set that nobody knows",
       change_config([](json& c) { c["ladimo"]["layers"][1]["weights"] = {"half"}; }),
       {"ladimo.layers[1].weights"}},
      {"no experts", change_config([](json& c) { c["ladimo"]["routed_experts"] = 0; }), {"routed_experts"}},
      {"other experts",
       change_config([](json& c) { c["ladimo"]["routed_experts"] = 5; }),
       {"do not have the sizes"}},
      {"no metadata",
       change_config([](json& c) { c["ladimo"]["layers"][1]["metadata"] = json::object(); }),
       {"shared_neurons"}},
      {"a dense layer that is not there",
       change_config([](json& c) {
         c["ladimo"]["layers"][1]["weights"] = {"dense", "converted"};
       }),
       {"model.layers.1.mlp.gate_proj.weight", "missing"}},
      {"a tensor of no layer",
       change_config([](json& c) { c["ladimo"]["layers"][1]["weights"] = {"dense"}; }),
       {"model.layers.1.moe"}},
      {"another policy",
       [](const fs::path& folder) { write_file(folder / "policy.json", "{}"); },
       {"policy.json", "schema"}},
      {"no policy", [](const fs::path& folder) { fs::remove(folder / "policy.json"); }, {"policy.json"}},
      {"a truncated shard",
       [&](const fs::path& folder) {
         const auto file = TensorStore::open(folder).at(router).file;
         fs::resize_file(file, fs::file_size(file) - 50);
       },
       {".safetensors", "offset"}},
      {"a shard that is gone",
       [&](const fs::path& folder) { fs::remove(TensorStore::open(folder).at(router).file); },
       {".safetensors", "missing"}},
      {"a misshaped router",
       [&](const fs::path& folder) {
         change_header(folder, router, [&](json& header) { header[router]["shape"] = {32, 9}; });
       },
       {router, "[32, 9]"}},
  };
  const auto& e = example();
  for (const Case& c : cases) {
    INFO(c.name);
    const auto folder = e.work.folder / "spoiled";
    fs::remove_all(folder);
    fs::copy(e.native, folder);
    c.spoil(folder);
    const auto finished = run({"generate", folder, "--prompt", "the", "--max-tokens", "1"});
    INFO(finished.err);
    CHECK(finished.status == 2);
    CHECK(finished.err.find("hint:") != std::string::npos);
    for (const auto& part : c.said) {
      INFO(part);
      CHECK(finished.err.find(part) != std::string::npos);
    }
  }
  // If weights outside the FFNs differ from the original's, a comparison would mean nothing.
  const auto folder = e.work.folder / "spoiled";
  fs::remove_all(folder);
  fs::copy(e.native, folder);
  const fs::path last = TensorStore::open(folder).at("model.norm.weight").file;
  auto bytes = read_file(last);
  bytes[bytes.size() - 2] = static_cast<char>(bytes[bytes.size() - 2] ^ 1);
  write_file(last, bytes);
  const auto changed = run({"generate", folder, "--prompt", "the", "--max-tokens", "1"});
  CHECK(changed.status == 2);
  CHECK(changed.err.find("model.norm.weight") != std::string::npos);
}
