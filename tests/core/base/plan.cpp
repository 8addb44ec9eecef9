#include "run/plan.h"

#include <algorithm>
#include <fstream>

#include <doctest/doctest.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "run/estimate.h"
#include "run/memory_use.h"
#include "run/run_folder.h"
#include "support/environment.h"
#include "support/pico_model.h"
#include "support/sample_run.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::ModelShape;
using ladimo::testing::TemporaryFolder;
using ladimo::testing::write_pico_model;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

void write_text(const fs::path& file, int documents, const std::string& word) {
  std::ofstream out(file);
  for (int i = 0; i < documents; ++i)
    out << "Once upon a time there was a " << word << " number " << i
        << " and it was happy and went to the park to play with the ball.\n\n";
}

/// A small model, text and a request that is accepted.
struct Workplace {
  TemporaryFolder folder;
  ConvertRequest request;

  explicit Workplace(const ModelShape& pico = {}) {
    write_pico_model(folder / "model", pico);
    write_text(folder / "a.txt", 300, "cat");
    write_text(folder / "b.txt", 300, "dog");
    request.model = folder / "model";
    request.run = folder / "run";
    request.text = {folder / "a.txt", folder / "b.txt"};
    request.tokens = 2000;
    request.held_out_tokens = 1024;
    request.experts = 6;
    request.shared = 2;
  }
  Plan plan() const { return make_plan(request, Context()); }
};

std::string said(const Plan& plan) {
  std::string text;
  for (const Problem& problem : plan.problems) text += problem.message + " | " + problem.hint + "\n";
  return text;
}

void check_problem(const Plan& plan, const std::string& part) {
  INFO("said: ", said(plan));
  INFO("expected: ", part);
  CHECK(said(plan).find(part) != std::string::npos);
  for (const Problem& problem : plan.problems) CHECK_FALSE(problem.hint.empty());
}

void check_clean(const Plan& plan) {
  INFO("said: ", said(plan));
  CHECK(plan.problems.empty());
}

}  // namespace

TEST_CASE("a plan for good input has steps, tokens and estimates, and writes nothing") {
  const Workplace work;
  const Plan plan = work.plan();
  check_clean(plan);
  CHECK_FALSE(fs::exists(work.request.run));
  CHECK(plan.recipe.window == 64);
  CHECK(plan.recipe.layers == std::vector<int>{0, 1});
  CHECK(plan.recipe.text_fingerprints.size() == 2);
  CHECK(plan.windows == plan.text.calibration.count());
  CHECK(plan.windows == 30);  // 2000 / 2 files / 64, twice
  CHECK(plan.tokens == 30 * 64);
  CHECK(plan.text.tables.count() == 8);
  std::vector<std::string> names;
  for (const PlanStep& step : plan.steps) {
    names.push_back(name_of(step.step));
    CHECK_FALSE(step.description.empty());
    CHECK(step.seconds > 0);
    CHECK_FALSE(step.done);
  }
  CHECK(names == std::vector<std::string>{"calibration text", "layers", "finish", "routing profile",
                                          "sensitivity", "latency", "frontier"});
  CHECK(plan.seconds > 0);

  const json shown = to_json(plan);
  CHECK(shown["partition"] ==
        json({{"experts", 6}, {"shared", 2}, {"routed", 4}, {"expert_neurons", 8}, {"shared_neurons", 16}}));
  CHECK(shown["problems"] == json::array());
  CHECK(shown["recipe"]["tokens"] == 2000);
  CHECK(shown["windows"] == 30);
}

TEST_CASE("settings come from the flags, else from the recipe file, else from the model") {
  Workplace work;
  work.request.experts = {};
  work.request.shared = {};
  Plan plan = work.plan();
  CHECK(plan.recipe.experts == 4);  // 48 neurons, at least eight in each expert
  CHECK(plan.recipe.shared == 1);
  write_json(work.folder / "recipe.json",
             {{"experts", 12}, {"window", 32}, {"stage1", {{"epochs", 1}}}, {"layers", {1}}});
  work.request.recipe = work.folder / "recipe.json";
  work.request.window = 16;
  plan = work.plan();
  check_clean(plan);
  CHECK(plan.recipe.experts == 12);
  CHECK(plan.recipe.shared == 3);
  CHECK(plan.recipe.window == 16);
  CHECK(plan.recipe.stage1.epochs == 1);
  CHECK(plan.recipe.layers == std::vector<int>{1});
  work.request.layers.emplace("0");
  CHECK(work.plan().recipe.layers == std::vector<int>{0});
}

TEST_CASE("text that the model writes itself needs no files") {
  Workplace work;
  work.request.text = {"self"};
  const Plan plan = work.plan();
  check_clean(plan);
  CHECK(plan.recipe.self_text());
  CHECK(plan.text.calibration.count() == 0);
  CHECK(plan.windows == 2000 / 64);
  CHECK(plan.steps[0].description.find("The model generates") != std::string::npos);
}

TEST_CASE("impossible settings are named, all at once") {
  using Change = void (*)(ConvertRequest&);
  const std::pair<Change, const char*> bad[] = {
      {[](auto& r) { r.experts = 0; }, "0 experts were requested; there must be at least one"},
      {[](auto& r) { r.experts = 49; }, "49 experts were requested, but the FFNs have only 48 neurons"},
      {[](auto& r) { r.shared = 6; }, "With 6 of 6 experts shared, none is left to be routed"},
      {[](auto& r) { r.shared = -1; }, "The number of shared experts is negative: -1"},
      {[](auto& r) { r.window = 0; }, "A window of 0 tokens leaves nothing to score"},
      {[](auto& r) { r.window = 1; }, "A window of 1 tokens leaves nothing to score"},
      {[](auto& r) { r.window = 65; }, "A window of 65 tokens is more than the model's 64 positions"},
      {[](auto& r) { r.tokens = 0; }, "0 calibration tokens do not fill two windows of 64"},
      {[](auto& r) { r.tokens = -5; }, "-5 calibration tokens do not fill"},
      {[](auto& r) { r.held_out_tokens = 100; }, "100 held-out tokens do not fill two windows"},
      {[](auto& r) { r.layers.emplace("2"); }, "There is no layer 2: the model has 2 layers"},
      {[](auto& r) { r.layers = "some"; }, "\"some\" is not a list of layers"},
      {[](auto& r) { r.sensitivity = "guessed"; }, "\"guessed\" is not a way to get the sensitivity"},
      {[](auto& r) { r.text = {}; }, "No calibration text is given"},
      {[](auto& r) { r.run = ""; }, "No run folder is given"},
      {[](auto& r) { r.tokens = 1000000; }, "too few tokens"},
      {[](auto& r) { r.recipe = "/nowhere/recipe.json"; }, "/nowhere/recipe.json"},
      {[](auto& r) { r.recipe = "{\"experts\": 4"; }, "The text of the recipe is not valid JSON"},
      {[](auto& r) { r.recipe = "{\"expert\": 4}"; }, "expert"},
      {[](auto& r) { r.model = r.model.parent_path() / "none"; }, "There is no folder"},
  };
  for (const auto& [change, part] : bad) {
    Workplace work;
    change(work.request);
    const Plan plan = work.plan();
    CHECK_FALSE(plan.problems.empty());
    check_problem(plan, part);
    CHECK_FALSE(fs::exists(work.folder / "run"));
    CHECK_NOTHROW(to_json(plan));
  }
  Workplace work;
  work.request.experts = 0;
  work.request.window = 65;
  work.request.layers.emplace("9");
  CHECK(work.plan().problems.size() == 3);
}

TEST_CASE("text that cannot be used is a problem") {
  Workplace work;
  work.request.text = {work.folder / "none.txt"};
  check_problem(work.plan(), "none.txt");
  std::ofstream(work.folder / "empty.txt") << "\n \n";
  work.request.text = {work.folder / "empty.txt"};
  check_problem(work.plan(), "empty.txt contains no text");
}

TEST_CASE("faults of the model are problems") {
  Workplace work;
  fs::remove(work.folder / "model/tokenizer.model");
  check_problem(work.plan(), "tokenizer");
  const Workplace small({.vocab = 1000});
  check_problem(small.plan(), "The tokenizer has 4096 pieces, but the embedding has only 1000 rows");
  fs::remove(work.folder / "model/config.json");
  CHECK(work.plan().steps.empty());
  check_problem(work.plan(), "config.json");
}

TEST_CASE("NaN weights are found before anything is written") {
  Workplace work;
  {
    std::fstream file(work.folder / "model/model.safetensors",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-4, std::ios::end);
    file.write("\x00\x00\xC0\x7F", 4);
  }
  check_problem(work.plan(), "NaN");
  work.request.read_weights = false;  // a look at text or partition does not read the weights
  check_clean(work.plan());
}

TEST_CASE("a run folder that holds something else is a problem") {
  Workplace work;
  fs::create_directories(work.request.run);
  std::ofstream(work.request.run / ".lock") << "";
  fs::create_directories(work.request.run / "layers");
  check_clean(work.plan());  // the folder is as a run that was killed at its start leaves it
  std::ofstream(work.request.run / "thesis.tex") << "x";
  check_problem(work.plan(), "The run folder contains other files and is not a run");
  work.request.run = work.folder / "a.txt";
  check_problem(work.plan(), "The run folder is a file");
  work.request.run = work.folder / "link";
  fs::create_symlink(work.folder / "gone", work.request.run);
  check_problem(work.plan(), "gone, which does not exist");
  if (::geteuid() != 0) {
    fs::create_directories(work.folder / "locked");
    fs::permissions(work.folder / "locked", fs::perms::owner_read | fs::perms::owner_exec);
    work.request.run = work.folder / "locked/run";
    check_problem(work.plan(), "The run folder cannot be written");
  }
  work.request.run = work.folder / "broken";
  fs::create_directories(work.request.run);
  std::ofstream(work.request.run / "recipe.json") << "{";
  check_problem(work.plan(), "recipe.json");
}

TEST_CASE("a run continues with its own settings and refuses others by name") {
  Workplace work;
  const RunFolder run(work.request.run);
  fs::create_directories(run.path());
  write_json(run.recipe_file(), to_json(work.plan().recipe));
  run.layers().put(LayerRecord{}, testing::writing("weights"));

  Plan plan = work.plan();
  check_clean(plan);
  CHECK(plan.resumes);
  CHECK_FALSE(plan.steps[1].done);
  CHECK(plan.steps[1].description.find("1 are finished") != std::string::npos);
  const double left = plan.seconds;

  LayerRecord second;
  second.layer = 1;
  run.layers().put(second, testing::writing("weights"));
  for (const auto& file : {run.profile_file(), run.tradeoff_file(), run.latency_file()}) write_json(file, {});
  ConvertRequest bare;
  bare.model = work.request.model;
  bare.run = work.request.run;
  plan = make_plan(bare, Context());
  check_clean(plan);
  CHECK(plan.resumes);
  CHECK(plan.recipe.experts == 6);
  CHECK(plan.recipe.text.size() == 2);
  for (std::size_t i = 1; i < plan.steps.size(); ++i) CHECK(plan.steps[i].done);
  CHECK(plan.seconds < left);

  work.request.experts = 8;
  plan = work.plan();
  CHECK_FALSE(plan.resumes);
  check_problem(plan, "The run folder contains another recipe: experts: 6 in the run, 8 requested.");
  work.request.experts = 6;
  write_text(work.folder / "a.txt", 301, "cat");
  check_problem(work.plan(), "has changed since the run began");
  write_text(work.folder / "a.txt", 300, "cat");
  check_clean(work.plan());
  write_pico_model(work.folder / "model", {.seed = 1});
  check_problem(work.plan(), "/model has changed since the run began");
}

TEST_CASE("a run whose tokenizer changed is refused by name; one that did not record it continues") {
  Workplace work;
  fs::create_directories(work.request.run);
  auto recipe = to_json(work.plan().recipe);
  write_json(work.request.run / "recipe.json", recipe);
  testing::change_tokenizer(work.folder / "model");
  check_problem(work.plan(),
                "The run folder contains another recipe: tokenizer: it has changed since the run began.");
  REQUIRE(recipe.erase("tokenizer_fingerprint") == 1);
  write_json(work.request.run / "recipe.json", recipe);
  const Plan plan = work.plan();
  check_clean(plan);
  CHECK(plan.resumes);
}

TEST_CASE("a moved model continues its run") {
  Workplace work;
  fs::create_directories(work.request.run);
  write_json(work.request.run / "recipe.json", to_json(work.plan().recipe));
  fs::rename(work.folder / "model", work.folder / "moved");
  work.request.model = work.folder / "moved";
  const Plan plan = work.plan();
  check_clean(plan);
  CHECK(plan.resumes);
}

TEST_CASE("a plan that needs more than the free disk is a problem") {
  const Workplace work;
  const testing::EnvironmentVariable disk("LADIMO_DISK_FREE_BYTES", "102400");
  check_problem(work.plan(), " of disk space; 100 KiB are free. | Free some space");
}

TEST_CASE("a plan that needs more than the memory is a problem") {
  Workplace work;
  work.request.text = {"self"};
  work.request.tokens = std::int64_t{1} << 42;
  check_problem(work.plan(), " of memory; ");
}

TEST_CASE("stopping works while a plan is made") {
  const Workplace work;
  std::atomic<bool> cancel = true;
  CHECK_THROWS_AS(make_plan(work.request, Context({}, &cancel)), Interrupted);
}

TEST_CASE("settings may be given in place of a recipe file") {
  Workplace work;
  work.request.recipe.emplace(R"({"stage1": {"distil": false}, "experts": 12})");
  const Plan plan = work.plan();
  check_clean(plan);
  CHECK_FALSE(plan.recipe.stage1.distil);
  CHECK(plan.recipe.experts == 6);  // the flag wins
}

TEST_CASE("settings that cannot be read are the only problem that is named") {
  Workplace work;
  work.request.recipe.emplace(R"({"text": ["a.txt"], "stage1": {"second_sweep": 1}})");
  const Plan plan = work.plan();
  REQUIRE(plan.problems.size() == 1);
  CHECK(plan.problems.front().message.find("second_sweep is neither true nor false") != std::string::npos);
}

TEST_CASE("the plan has a finish if the recipe says so or the model is small") {
  Workplace work;
  const auto finish = [](const Plan& plan) {
    return std::ranges::find(plan.steps, Step::finish, &PlanStep::step) != plan.steps.end();
  };
  const Plan small = work.plan();
  CHECK(small.finish_tokens == small.tokens);
  CHECK(finish(small));
  work.request.recipe.emplace(R"({"finish": {"use": "off"}})");
  const Plan off = work.plan();
  CHECK(off.finish_tokens == 0);
  CHECK_FALSE(finish(off));
  CHECK(off.disk_bytes < small.disk_bytes);
  Plan large = small;
  large.config.hidden_size = 4096;
  large.config.intermediate_size = 14336;
  large.config.layers = 32;
  CHECK(sketch_plan(large.config, large.recipe, 100000, 2, 4).finish_tokens == 0);
  large.recipe.finish.use = "on";
  CHECK(sketch_plan(large.config, large.recipe, 100000, 2, 4).finish_tokens == 99968);
  // With more calibration tokens than the time allows, as many are used as it allows.
  Plan between = small;
  between.config.hidden_size = 192;
  between.config.intermediate_size = 512;
  between.config.layers = 6;
  std::int64_t last = 0;
  for (const std::int64_t tokens : {10000, 100000, 1000000, 10000000, 100000000}) {
    const auto used = sketch_plan(between.config, between.recipe, tokens, 2, 4).finish_tokens;
    CHECK(used >= last);
    CHECK(used <= tokens);
    last = used;
  }
  CHECK(last < 100000000);
}

TEST_CASE("a finish whose gradients do not fit into memory is planned block by block, and stays so") {
  Workplace work;
  const auto step = [](const Plan& plan) {
    return std::ranges::find(plan.steps, Step::finish, &PlanStep::step)->description;
  };
  work.request.recipe.emplace(R"({"finish": {"use": "on"}})");
  const Plan whole = work.plan();
  CHECK(whole.recipe.finish.block == 0);
  CHECK(step(whole).find("Train all converted layers together on the predictions") != std::string::npos);
  work.request.memory = 1;
  const Plan blocks = work.plan();
  CHECK(blocks.recipe.finish.block == 1);
  CHECK(step(blocks).find("Train the converted layers one at a time on the hidden states") !=
        std::string::npos);

  // Another amount of memory does not change a run.
  const auto file = RunFolder(work.request.run).recipe_file();
  fs::create_directories(work.request.run);
  auto recipe = to_json(blocks.recipe);
  write_json(file, recipe);
  work.request.memory.reset();
  work.request.recipe.reset();
  const Plan resumed = work.plan();
  CHECK(resumed.resumes);
  CHECK(resumed.recipe.finish.block == 1);
  work.request.recipe.emplace(R"({"finish": {"block": 2}})");
  check_problem(work.plan(), "finish.block: 1 in the run, 2 requested");
  // Runs of earlier versions trained all layers together.
  recipe["finish"].erase("block");
  write_json(file, recipe);
  work.request.recipe.reset();
  work.request.memory = 1;
  CHECK(work.plan().resumes);
  CHECK(work.plan().recipe.finish.block == 0);
}

TEST_CASE(
    "as many layers are finished at a time as fit; whether there is a finish does not depend on memory") {
  const Workplace work;
  Plan plan = work.plan();
  plan.config.hidden_size = 4096;
  plan.config.intermediate_size = 14336;
  plan.config.layers = 32;
  plan.recipe.finish.use = "on";
  const Workload load{plan.config, plan.recipe, 100000, 2, 4};
  const auto need = [&](int block) { return program_bytes + finish_memory(load, block, 100000).needed; };
  CHECK(need(1) < need(4));
  CHECK(need(32) < need(0));
  CHECK(finish_block(load, static_cast<std::uint64_t>(need(0)) + 1) == 0);
  CHECK(finish_block(load, static_cast<std::uint64_t>(need(4)) + 1) == 4);
  CHECK(finish_block(load, 0) == 1);
  plan.recipe.finish.use = "auto";
  CHECK(finish_block(load, 0) == 0);
  // One layer: its weights and shifts with gradients, moments and copies, each 700 MB in fp32.
  CHECK(need(1) < 20e9);
  CHECK(need(1) > 10 * 4.0 * 3 * 4096 * 14336);
}

TEST_CASE("the plan has a second sweep if the recipe asks for it") {
  Workplace work;
  const Plan without = work.plan();
  work.request.recipe.emplace(R"({"stage1": {"second_sweep": true}})");
  const Plan plan = work.plan();
  check_clean(plan);
  REQUIRE(plan.steps.size() == without.steps.size() + 1);
  CHECK(plan.steps[2].step == Step::second_sweep);
  CHECK(plan.steps[2].description.find("half from the converted model") != std::string::npos);
  CHECK(plan.steps[2].seconds > 0);
  CHECK_FALSE(plan.steps[2].done);
  CHECK(plan.seconds > without.seconds);
  CHECK(plan.disk_bytes > without.disk_bytes);

  fs::create_directories(work.request.run / "second-sweep");
  write_json(work.request.run / "recipe.json", to_json(plan.recipe));
  for (const char* file : {"000.json", "001.json"})
    write_json(work.request.run / "second-sweep" / file, json::object());
  CHECK(work.plan().steps[2].done);
  work.request.recipe.emplace(R"({"stage1": {"second_sweep": false}})");
  check_problem(work.plan(), "stage1.second_sweep: true in the run, false requested");
}

TEST_CASE("the estimates follow the number of threads") {
  Workplace work;
  work.request.threads = 1;
  const Plan one = work.plan();
  work.request.threads = 16;
  const Plan many = work.plan();
  check_clean(many);
  CHECK(many.seconds < one.seconds);
  CHECK(many.ram_bytes > one.ram_bytes);  // several threads keep models side by side
  work.request.threads = -3;
  check_problem(work.plan(), "The number of threads is negative: -3.");
}

TEST_CASE("a large chunk is held once, however many threads there are") {
  ModelConfig config = Workplace().plan().config;
  config.hidden_size = 4096, config.intermediate_size = 11008;
  config.heads = config.kv_heads = 32, config.head_dim = 128, config.max_positions = 2048;
  Recipe recipe = Workplace().plan().recipe;
  recipe.window = 2048, recipe.held_out_tokens = 4096;
  const auto bytes = [&](int threads) {
    return static_cast<double>(sketch_plan(config, recipe, 16384, 2, threads).ram_bytes);
  };
  CHECK(bytes(64) <= bytes(2) * 1.5);
}

TEST_CASE("a sketch has the plan's own steps and estimates") {
  const Workplace work;
  const Plan plan = work.plan();
  const Plan sketch = sketch_plan(plan.config, plan.recipe, plan.tokens, 4, engine_threads());
  CHECK(sketch.tokens == plan.tokens);
  CHECK(sketch.windows == plan.windows);
  CHECK(sketch.ram_bytes == plan.ram_bytes);
  CHECK(sketch.disk_bytes == plan.disk_bytes);
  CHECK(sketch.seconds == doctest::Approx(plan.seconds));
  REQUIRE(sketch.steps.size() == plan.steps.size());
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    CHECK(sketch.steps[i].description == plan.steps[i].description);
}

TEST_CASE("memory grows with the stream, a layer and the embedding, disk with the converted layers") {
  const Workplace work;
  const Plan plan = work.plan();
  const auto more = [&](std::int64_t tokens, std::int64_t neurons, std::int64_t vocab) {
    ModelConfig config = plan.config;
    config.intermediate_size += neurons;
    config.vocab_size += vocab;
    const Plan sketch = sketch_plan(config, plan.recipe, plan.tokens + tokens, 4, engine_threads());
    return std::pair(static_cast<std::int64_t>(sketch.ram_bytes - plan.ram_bytes),
                     static_cast<std::int64_t>(sketch.disk_bytes - plan.disk_bytes));
  };
  constexpr std::int64_t many = 10'000'000, d = 32;
  CHECK(more(many, 0, 0).first >= 3 * 4 * d * many);  // stream, FFN inputs and outputs in fp32
  CHECK(more(many, 0, 0).second == 0);
  CHECK(more(0, many, 0).first >= 3 * 4 * d * many);
  CHECK(more(0, many, 0).second >= 2 * 3 * 4 * d * many);  // both layers
  CHECK(more(0, 0, many).first >= 2 * d * many);
}

TEST_CASE("activated parameters are estimated by arithmetic") {
  const Workplace work;
  const Plan plan = work.plan();  // d 32, 48 neurons in 6 experts, 2 shared; 2 layers
  const Workload load{plan.config, plan.recipe, plan.tokens, 4, 1};
  const double dense_ffn = 3 * 32 * 48, dense = static_cast<double>(plan.config.activated_parameters());
  const double router = 4 * 33, shared = 3 * 32 * 16, bias = 32;
  CHECK(activated_estimate(load, 0) == doctest::Approx(dense - 2 * (dense_ffn - router - shared - bias)));
  CHECK(activated_estimate(load, 4) == doctest::Approx(dense + 2 * (router + bias)));
}

TEST_CASE("times follow the measured pace, and bf16 is chosen where it is much faster") {
  const Workplace work;
  const auto at_pace = [&](double factor, double bf16_gain) {
    Pace pace = usual_pace(2);
    for (double* rate : {&pace.forward, &pace.backward, &pace.distillation, &pace.equations, &pace.head})
      *rate *= factor;
    pace.bf16_gain = bf16_gain;
    return make_plan(work.request, Context(), [=](const ModelConfig&) { return pace; });
  };
  const Plan usual = at_pace(1, 1), slow = at_pace(0.1, 1);
  CHECK(usual.recipe.compute == "fp32");
  for (std::size_t i = 0; i < usual.steps.size(); ++i) {
    const bool computes =
        usual.steps[i].step != Step::calibration_text && usual.steps[i].step != Step::latency;
    const double ratio = slow.steps[i].seconds / usual.steps[i].seconds;
    CHECK(ratio <= 10.001);
    CHECK(ratio >= (computes ? 2 : 1));
  }
  const Plan narrow = at_pace(1, 4);
  CHECK(narrow.recipe.compute == "bf16");
  CHECK(narrow.seconds < usual.seconds);
}

TEST_CASE("a run keeps the dtype that it began with, and earlier runs computed in fp32") {
  Workplace work;
  const PaceOf fast = [](const ModelConfig&) {
    Pace pace = usual_pace(2);
    pace.bf16_gain = 4;
    return pace;
  };
  fs::create_directories(work.request.run);
  auto recipe = to_json(make_plan(work.request, Context()).recipe);
  CHECK(recipe["compute"] == "fp32");
  write_json(RunFolder(work.request.run).recipe_file(), recipe);
  const Plan going_on = make_plan(work.request, Context(), fast);
  check_clean(going_on);
  CHECK(going_on.resumes);
  CHECK(going_on.recipe.compute == "fp32");
  recipe.erase("compute");
  write_json(RunFolder(work.request.run).recipe_file(), recipe);
  CHECK(make_plan(work.request, Context(), fast).resumes);
  work.request.recipe.emplace(R"({"compute": "bf16"})");
  check_problem(make_plan(work.request, Context(), fast), "compute: fp32 in the run, bf16 requested");
  work.request.recipe.emplace(R"({"compute": "half"})");
  check_problem(make_plan(work.request, Context(), fast), "compute is not one of auto, fp32, bf16");
}

TEST_CASE("sensitivity is measured if that takes few operations") {
  const Workplace work;
  Plan plan = work.plan();
  plan.recipe.held_out_tokens = 1 << 16;
  const Workload load{plan.config, plan.recipe, plan.tokens, 4, 2};
  int measured = 0, estimated = 0;
  auto& size = plan.config.intermediate_size;
  for (size = 64; size < 1 << 26; size += size / 4) {
    const bool measures = measures_sensitivity(load);
    CHECK((!measures || estimated == 0));  // once a model is too large, larger ones are too
    ++(measures ? measured : estimated);
  }
  CHECK(measured > 0);
  CHECK(estimated > 0);
}
