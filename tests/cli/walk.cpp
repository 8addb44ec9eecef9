// All commands in order on a pico model: the documented behaviour, checked from outside.
#include <algorithm>
#include <numeric>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "run/event_json.h"
#include "run/run_folder.h"
#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

/// The bytes of all files that depend on the recipe alone.
std::map<std::string, std::string> results(const fs::path& run_folder) {
  std::map<std::string, std::string> bytes;
  for (const auto& entry : fs::recursive_directory_iterator(run_folder)) {
    const auto name = fs::relative(entry.path(), run_folder).string();
    if (entry.is_regular_file() &&
        (name.starts_with("layers/") || name.starts_with("finish/") || name == "finish.json" ||
         name == "profile.json" || name == "tradeoff.json" || name == "policy.json"))
      bytes[name] = read_file(entry.path());
  }
  return bytes;
}

}  // namespace

TEST_CASE("inspect, plan, convert, show, policy, eval and generate print every documented key") {
  const Workplace work;
  const auto output = work.folder / "run";
  check_keys(json_of({"inspect", work.model}),
             {"architecture", "layers", "hidden_size", "intermediate_size", "vocab_size", "parameters",
              "ffn_parameters", "activated_parameters", "dtype", "fingerprint", "problems", "head_dim",
              "tied_head", "threads"});
  auto plan_arguments = work.convert(output);
  plan_arguments.front() = "plan";
  const auto plan = json_of(plan_arguments);
  check_keys(plan,
             {"steps", "tokens", "windows", "ram_bytes", "disk_bytes", "seconds", "partition", "problems"});
  CHECK(plan["problems"].empty());
  plan_arguments.insert(plan_arguments.end(), {"--sample", "1"});
  const auto sample = json_of(plan_arguments)["sample"];
  CHECK(sample["layer"] == 1);
  CHECK(sample["partition"].size() == 48);
  plan_arguments.insert(plan_arguments.end(), {"--look", "2"});
  const auto look = json_of(plan_arguments)["look"];
  CHECK(look["problems"].empty());
  CHECK(look["calibration"] == plan["windows"]);
  CHECK(look["files"][0]["taken"] > 0);
  CHECK(look["windows"].size() == 2);
  CHECK_FALSE(fs::exists(output));

  const auto converted = json_of(work.convert(output));
  check_keys(converted, {"layers", "seconds", "resumed_layers"});
  REQUIRE(converted["layers"].size() == 3);
  check_keys(converted["layers"][0], {"layer", "loss_before", "loss_after", "seconds"});
  CHECK(converted["resumed_layers"] == 0);
  CHECK(json_of(work.convert(output))["resumed_layers"] == 3);

  const auto no_policy = run({"eval", output, "--text", work.held_out});
  CHECK(no_policy.status == 2);
  CHECK(no_policy.err.find("ladimo policy") != std::string::npos);

  const auto policy = json_of({"policy", output, "--activated", "0.97", "--pin", "1=top2"});
  check_keys(policy, {"schema", "model", "cost", "tradeoff", "layers", "predicted", "measured"});
  CHECK(policy["schema"] == "ladimo.policy/2");
  CHECK(policy["layers"][1] == nlohmann::json{{"layer", 1}, {"kind", "top_k"}, {"k", 2}});
  CHECK(policy["measured"].is_null());
  check_keys(policy["predicted"], {"kl", "perplexity", "decode_ms", "prefill_ms", "activated_parameters",
                                   "activated_fraction", "ffn_activated"});
  CHECK(policy["predicted"]["activated_fraction"] <= 0.97);
  const auto shown = json_of({"show", output});
  check_keys(shown, {"recipe", "layers", "profile", "tradeoff", "latency", "policy"});

  const auto& grid = shown["latency"]["grid"];
  CHECK(grid["long_context"] > grid["short_context"]);
  REQUIRE(grid["batches"].size() == 4);
  CHECK(grid["batches"][3]["batch"] == 8);
  check_keys(grid["batches"][3], {"dense_decode_ms", "other_decode_ms", "other_long_decode_ms", "points"});
  CHECK(policy.value("decoding", nlohmann::json()).is_null());
  const auto for_four = json_of({"policy", output, "--activated", "0.97", "--batch", "4", "--context", "100",
                                 "-o", work.folder / "four.json"});
  CHECK(for_four["decoding"] == nlohmann::json{{"batch", 4}, {"context", 100}});
  const auto for_three = run({"policy", output, "--batch", "3"});
  CHECK(for_three.status == 2);
  CHECK(for_three.err.find("Set --batch to one of 1, 2, 4, 8.") != std::string::npos);

  const auto evaluation = json_of({"eval", output, "--text", work.held_out, work.text, "--tokens", "2000"});
  check_keys(evaluation, {"tokens", "nll", "perplexity", "dense_nll", "dense_perplexity", "kl",
                          "kl_percentiles", "same_top", "same_top_se", "activated_parameters",
                          "activated_fraction", "ffn_activated", "domains", "tasks"});
  CHECK(evaluation["domains"].size() == 2);
  CHECK(evaluation["calibrated_on"] == nlohmann::json{work.text.string()});
  // Measuring on calibration text gives a warning, on held-out text none.
  const auto seen = run({"eval", output, "--text", work.text, "--tokens", "2000"});
  CHECK(seen.err.find("was calibrated on") != std::string::npos);
  CHECK(seen.out.find("KL per token: median") != std::string::npos);
  const auto unseen = run({"eval", output, "--text", work.held_out, "--tokens", "2000"});
  CHECK(unseen.err.find("was calibrated on") == std::string::npos);
  check_keys(evaluation["kl_percentiles"], {"50", "95", "99", "100"});
  const auto dense = json_of({"eval", work.model, "--text", work.held_out});
  CHECK(dense["calibrated_on"].empty());
  CHECK(dense["kl"].is_null());
  CHECK(dense["activated_fraction"] == 1.0);

  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--dense-only"}}) {
    std::vector<std::string> arguments = {"generate", output, "--prompt", "the cat", "--max-tokens", "5"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto generated = json_of(arguments);
    check_keys(generated, {"text", "tokens"});
    REQUIRE_FALSE(generated["tokens"].empty());
    CHECK(generated["tokens"][0]["experts"].size() == 3);
  }

  // Trade-off 0 gives the all-dense policy, which is the dense model.
  json_of({"policy", output, "--tradeoff", "0"});
  const auto all_dense = json_of({"eval", output, "--text", work.held_out});
  CHECK(all_dense["kl"] == 0.0);
  CHECK(all_dense["activated_fraction"] == 1.0);
  CHECK(all_dense["nll"] == all_dense["dense_nll"]);
}

TEST_CASE("a moved original is named with --dense; another checkpoint is refused") {
  const Workplace work;
  const auto output = work.folder / "run";
  json_of(work.convert(output));
  json_of({"policy", output});
  // A run finds its original when both were moved together.
  const auto together = work.folder / "together";
  fs::create_directory(together);
  fs::rename(work.model, together / "model");
  fs::rename(output, together / "run");
  CHECK(json_of({"eval", together / "run", "--text", work.held_out})["kl"].get<double>() > 0);
  fs::rename(together / "run", output);
  fs::rename(together / "model", work.model);

  const auto moved = work.folder / "moved";
  fs::rename(work.model, moved);
  const auto lost = run({"eval", output, "--text", work.held_out});
  CHECK(lost.status == 2);
  CHECK(lost.err.find("--dense") != std::string::npos);
  CHECK(json_of({"eval", output, "--text", work.held_out, "--dense", moved})["kl"].get<double>() > 0);
  ModelShape other;
  other.layers = 3;
  other.seed = 5;
  write_pico_model(work.model, other);
  CHECK(run({"eval", output, "--text", work.held_out}).err.find("fingerprint") != std::string::npos);
}

TEST_CASE("killed in the middle, the same command gives the same bytes as an undisturbed run") {
  const Workplace work;
  const auto undisturbed = work.folder / "undisturbed", killed = work.folder / "killed";
  REQUIRE(run(work.convert(undisturbed)).status == 0);
  // Kills in the middle of layer 1, during the finish, and while the tables are measured.
  for (const char* file : {"layers/000.json", "layers/002.json", "profile.json"}) {
    Process process(work.convert(killed));
    process.wait_until([&] { return fs::exists(killed / file); });
    process.signal(SIGKILL);
    CHECK(process.wait().status == 128 + SIGKILL);
  }
  CHECK(fs::exists(killed / "layers/000.json"));
  CHECK_FALSE(fs::exists(killed / "tradeoff.json"));
  REQUIRE(run(work.convert(killed)).status == 0);
  for (const auto& folder : {undisturbed, killed}) json_of({"policy", folder, "--activated", "0.97"});
  const auto expected = results(undisturbed);
  CHECK(expected.contains("finish.json"));
  CHECK(expected.size() >= 10);
  const auto found = results(killed);
  for (const auto& [name, bytes] : expected) {
    INFO(name);
    REQUIRE(found.contains(name));
    CHECK(found.at(name) == bytes);
  }
  CHECK(found.size() == expected.size());
}

TEST_CASE("a model can be calibrated on text that it writes itself") {
  const Workplace work;
  const auto output = work.folder / "run";
  auto arguments = work.convert(output);
  arguments[5] = "self";
  json_of(arguments);
  CHECK(fs::exists(output / "text/calibration.jsonl"));
  json_of({"policy", output});
  const auto held_out = (output / "text/held-out.jsonl").string();
  CHECK(json_of({"eval", output, "--text", held_out})["tokens"].get<int>() > 0);
  CHECK(json_of(arguments)["resumed_layers"] == 3);
}

TEST_CASE("a disk that fills up during a conversion gives status 1, and the same command continues") {
  const Workplace work;
  const auto output = work.folder / "run";
  // The plan passes, because only writing is limited; one layer's file has about 40 kB.
  const auto full = run(work.convert(output), {{"LADIMO_DISK_FULL_AFTER_BYTES", "60000"}});
  INFO(full.err);
  CHECK(full.status == 1);
  CHECK(full.err.find("hint:") != std::string::npos);
  CHECK(fs::exists(output / "layers/000.json"));
  CHECK_FALSE(fs::exists(output / "layers/002.json"));
  for (const auto& entry : fs::recursive_directory_iterator(output))
    CHECK(entry.path().filename().string().find(".tmp-") == std::string::npos);
  CHECK(json_of(work.convert(output))["resumed_layers"].get<int>() >= 1);
}

TEST_CASE("a damaged layer is found and made again with the same bytes; another model's policy is refused") {
  const Workplace work;
  const auto output = work.folder / "run";
  json_of(work.convert(output));
  json_of({"policy", output, "--tradeoff", "1"});
  const auto expected = results(output);
  // Damages a layer of stage 1 and a layer of the finish.
  for (const char* name : {"layers/001.safetensors", "finish/001.safetensors"}) {
    REQUIRE(fs::exists(output / name));
    auto bytes = read_file(output / name);
    bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 1);
    write_file(output / name, bytes);
  }
  const auto damaged = run({"eval", output, "--text", work.held_out});
  CHECK(damaged.status == 2);
  CHECK(damaged.err.find("damaged") != std::string::npos);
  CHECK(json_of(work.convert(output))["resumed_layers"] == 2);
  CHECK(results(output) == expected);

  auto policy = read_json(output / "policy.json");
  policy["model"]["fingerprint"] = std::string(32, '0');
  write_json(work.folder / "other.json", policy);
  const auto other = run({"eval", output, "--policy", work.folder / "other.json", "--text", work.held_out});
  CHECK(other.status == 2);
  CHECK(other.err.find("another checkpoint") != std::string::npos);
}

TEST_CASE("show and policy work without the run's weights") {
  const Workplace work;
  const auto output = work.folder / "run";
  json_of(work.convert(output));
  const std::vector<std::string> policy = {"policy", output, "--grains", "experts", "--activated", "0.97"},
                                 show = {"show", output};
  const auto chosen = json_of(policy), shown = json_of(show);
  int emptied = 0;
  for (const auto& entry : fs::recursive_directory_iterator(output))
    if (entry.path().extension() == ".safetensors") {
      fs::resize_file(entry.path(), 0);
      ++emptied;
    }
  CHECK(emptied >= 3);
  CHECK(json_of(policy) == chosen);
  CHECK(json_of(show) == shown);
  CHECK(run({"eval", output, "--text", work.held_out}).err.find("damaged") != std::string::npos);
}

TEST_CASE("a changed tokenizer is refused if the run recorded its own") {
  const Workplace work;
  const auto output = work.folder / "run";
  json_of(work.convert(output));
  json_of({"policy", output});
  const std::vector<std::string> eval = {"eval", output, "--text", work.held_out, "--tokens", "1000"};
  const std::vector<std::string> generate = {"generate", output, "--prompt", "the", "--max-tokens", "2"};
  change_tokenizer(work.model);
  for (const auto& command : {eval, generate, work.convert(output)}) {
    const auto refused = run(command);
    INFO(command.front(), ": ", refused.err);
    CHECK(refused.status == 2);
    CHECK(refused.err.find("okenizer") != std::string::npos);
    CHECK(refused.err.find("has changed since the run") != std::string::npos);
    CHECK(refused.err.find("hint:") != std::string::npos);
  }
  // Recipes of earlier versions do not record the tokenizer.
  auto recipe = read_json(output / "recipe.json");
  CHECK(recipe.erase("tokenizer_fingerprint") == 1);
  write_json(output / "recipe.json", recipe);
  for (const auto& command : {eval, generate}) CHECK(run(command).status == 0);
  CHECK(json_of(work.convert(output))["resumed_layers"] == 3);
}

TEST_CASE("events: every line parses, steps come in order, the last is the result") {
  const Workplace work;
  const auto finished = run(work.convert(work.folder / "run", {"--events"}));
  REQUIRE(finished.status == 0);
  std::istringstream lines(finished.out);
  std::set<std::size_t> kinds;
  std::vector<std::string> steps;
  std::set<std::string> parts;
  std::vector<std::int64_t> growing;
  Event last;
  for (std::string line; std::getline(lines, line);) {
    last = parse_event(line);
    kinds.insert(last.index());
    if (const auto* step = std::get_if<StepEvent>(&last)) steps.push_back(step->name);
    if (const auto* progress = std::get_if<ProgressEvent>(&last))
      if (progress->layer == 1) parts.insert(progress->what);
    if (const auto* histogram = std::get_if<HistogramEvent>(&last))
      if (steps.back() == "layers" && histogram->layer == 1)
        growing.push_back(
            std::accumulate(histogram->counts.begin(), histogram->counts.end(), std::int64_t{0}));
  }
  // The routing weights of a layer arrive while it is converted, until all rows are counted.
  REQUIRE(growing.size() >= 2);
  CHECK(std::is_sorted(growing.begin(), growing.end()));
  CHECK(growing.front() < growing.back());
  for (const char* part : {"partition", "router", "compensation", "refit", "distillation"}) {
    INFO(part);
    CHECK(parts.contains(part));
  }
  CHECK(steps == std::vector<std::string>{"calibration text", "layers", "finish", "routing profile",
                                          "sensitivity", "latency", "frontier"});
  REQUIRE(std::holds_alternative<ResultEvent>(last));
  CHECK(nlohmann::json::parse(std::get<ResultEvent>(last).json)["layers"].size() == 3);
  for (const Event& expected : {Event(StepEvent{}), Event(ProgressEvent{}), Event(LossEvent{}),
                                Event(HistogramEvent{}), Event(SampleEvent{}), Event(LayerEvent{})})
    CHECK(kinds.contains(expected.index()));
}

TEST_CASE("Ctrl+C, SIGTERM and a closed stdin end with 130 and leave a resumable run") {
  const Workplace work;
  for (const int way : {SIGINT, SIGTERM, 0}) {
    const auto output = work.folder / ("run" + std::to_string(way));
    Process process(work.convert(output, {"--events"}));
    process.wait_until([&] { return fs::exists(output / "layers/000.json"); });
    if (way == 0)
      process.close_stdin();
    else
      process.signal(way);
    const auto finished = process.wait();
    CHECK(finished.status == 130);
    CHECK(finished.err.find("again") != std::string::npos);
    CHECK(fs::exists(output / "layers/000.json"));
    CHECK_FALSE(fs::exists(output / "tradeoff.json"));
  }
  CHECK(json_of(work.convert(work.folder / "run0"))["resumed_layers"].get<int>() >= 1);
}

TEST_CASE("a full stdout is a failure in every output form") {
  const Workplace work;
  for (const char* form : {"", "--json", "--events"}) {
    std::vector<std::string> arguments = {"inspect", work.model};
    if (*form != '\0') arguments.emplace_back(form);
    const auto finished = Process(arguments, {}, "/dev/full").wait();
    INFO(form, finished.err);
    CHECK(finished.status == 1);
    CHECK(finished.err.find("stdout") != std::string::npos);
  }
}

TEST_CASE("--help and --version answer with status 0; an unknown command is refused") {
  CHECK(run({"--version"}).out.starts_with("ladimo "));
  const auto help = run({"--help"});
  CHECK(help.status == 0);
  for (const char* command :
       {"inspect", "plan", "convert", "show", "policy", "eval", "bench", "generate", "export", "serve"}) {
    CHECK(help.out.find(command) != std::string::npos);
    CHECK(run({command, "--help"}).status == 0);
  }
  const auto unknown = run({"fly"});
  CHECK(unknown.status == 2);
  CHECK(unknown.err.find("hint:") != std::string::npos);
}
