#include <doctest/doctest.h>

#include <fstream>

#include <QAbstractItemModelTester>
#include <QDir>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "stand_in_engine.h"
#include "support/gguf_file.h"
#include "ui/models/command_lines.h"
#include "ui/wizard/conversion_arguments.h"
#include "ui/wizard/experts_page_config.h"
#include "ui/wizard/model_page_config.h"
#include "ui/wizard/partition_sampler.h"
#include "ui/wizard/summary_page_config.h"
#include "ui/wizard/text_file_model.h"
#include "ui/wizard/text_page_config.h"
#include "wizard_support.h"

using namespace ladimo;
using namespace ladimo::ui;
using namespace ladimo::testing;
using TesterMode = QAbstractItemModelTester::FailureReportingMode;

namespace {

std::shared_ptr<const ModelFacts> facts_of(const QString& folder) {
  return std::make_shared<const ModelFacts>(read_model(folder));
}

Recipe small_recipe() {
  Recipe recipe;
  recipe.tokens = 1024;
  recipe.held_out_tokens = 512;
  recipe.window = 64;
  return recipe;
}

bool says(const std::vector<Check>& checks, Check::State state, const char* part) {
  for (const Check& check : checks)
    if (check.state == state && (check.sentence + check.hint).contains(QLatin1String(part))) return true;
  return false;
}

}  // namespace

TEST_CASE(
    "model: the page is ready when the model can be converted, and the checklist says what was checked") {
  const WizardGround ground;
  ModelPageConfig config(Engine{});
  CHECK(config.reason().contains("Choose a model"));
  CHECK(config.checks().empty());
  config.set_model(ground.model());
  CHECK(config.reason().contains("Checking the model"));
  REQUIRE(wait_until_ready(config));
  REQUIRE(QTest::qWaitFor([&] { return says(config.checks(), Check::State::fine, "finite"); }, patience_ms));
  CHECK(says(config.checks(), Check::State::fine, "4,096 tokens"));
  CHECK(model_in_words(*config.facts()).contains("2 layers, hidden size 32"));
  CHECK(config.facts()->weight_bytes == 4);
}

TEST_CASE("model: problems are listed with what to do") {
  const WizardGround ground;
  std::filesystem::remove(ground.folder / "pico" / "tokenizer.model");
  ModelPageConfig config(Engine{});
  CheckListModel model;
  const QAbstractItemModelTester tester(&model, TesterMode::Fatal);
  config.set_model(ground.model());
  REQUIRE(wait_for_reason(config, "cannot be converted"));
  CHECK(says(config.checks(), Check::State::wrong, "tokenizer"));
  model.set_checks(config.checks());
  model.set_theme({});
  CHECK(model.rowCount() == 1);
  CHECK(model.index(0).data().toString().contains('\n'));  // the message has a line break before its hint
  config.set_model("/nowhere/at/all");
  REQUIRE(wait_for_reason(config, "cannot be converted"));
  model.set_checks({});
}

TEST_CASE("model: what the files say differently is listed, and the model can be converted all the same") {
  const WizardGround ground;
  write_json(ground.folder / "pico" / "generation_config.json", {{"eos_token_id", {2, 7}}});
  write_json(ground.folder / "pico" / "tokenizer_config.json", {{"add_bos_token", false}});
  ModelPageConfig config(Engine{});
  config.set_model(ground.model());
  REQUIRE(wait_until_ready(config));
  CHECK(says(config.checks(), Check::State::noted, "A text ends at any of them."));
  CHECK(says(config.checks(), Check::State::noted, "Texts begin without BOS."));
  CheckListModel model;
  model.set_checks({noted_check({"Said.", {}, {}})});
  CHECK(model.index(0).data().toString() == QStringLiteral("⚠  Said."));
  model.set_checks({noted_check({"Said.", "Do this.", "/some/file"})});
  CHECK(model.index(0).data().toString() == QStringLiteral("⚠  Said.\n    Do this.\n    /some/file"));
  model.set_checks({noted_check({"/some/file says so.", "Do this.", "/some/file"})});
  CHECK(model.index(0).data().toString() == QStringLiteral("⚠  /some/file says so.\n    Do this."));
}

TEST_CASE("model: a file stands for its folder, and a new choice drops the earlier answer") {
  const WizardGround ground;
  ModelPageConfig config(Engine{});
  config.set_model("/nowhere/at/all");
  config.set_model(ground.model() + "/config.json");
  CHECK(config.model() == ground.model());
  REQUIRE(wait_until_ready(config));
}

TEST_CASE("model: a GGUF file is a model, and the page says what is in it") {
  const WizardGround ground;
  const auto convert = [&](bool quantise, const char* name) {
    GgufFile gguf = gguf_of(ground.folder / "pico", quantise);
    if (quantise) gguf.text("general.license", "apache-2.0");
    write_file(ground.folder / name, gguf.bytes());
    return ground.text(name);
  };
  ModelPageConfig config(Engine{});
  const QString file = convert(true, "pico.gguf");
  config.set_model(file);
  CHECK(config.model() == file);
  REQUIRE(wait_until_ready(config));
  CHECK(config.facts()->path == file);
  CHECK(model_in_words(*config.facts()).startsWith("Llama (LlamaForCausalLM): 2 layers"));
  CHECK(model_in_words(*config.facts())
            .endsWith("\nSentencePiece tokenizer with 4,096 tokens; texts start with <s> · GGUF, quantised "
                      "as Q8_0 · license apache-2.0"));
  config.set_model(convert(false, "plain.gguf"));
  REQUIRE(wait_until_ready(config));
  CHECK(model_in_words(*config.facts()).endsWith(" · GGUF, not quantised (F32)"));
  write_file(ground.folder / "broken.gguf", "GGUF");
  config.set_model(ground.text("broken.gguf"));
  REQUIRE(wait_for_reason(config, "cannot be converted"));
}

TEST_CASE("model: the name and the folder of a model in a cache of the Hub stand for its files") {
  const WizardGround ground;
  const FakeHub hub(ground);
  for (const QString& typed : {QStringLiteral("org/Tiny"), hub.entry("org--Tiny")}) {
    ModelPageConfig config(Engine{});
    config.set_model(typed);
    CHECK(config.model() == typed);
    REQUIRE(wait_until_ready(config));
    CHECK(config.facts()->path == hub.entry("org--Tiny") + "/snapshots/c0ffee");
    CHECK(config.facts()->license == "mit");
  }
  ModelPageConfig config(Engine{});
  config.set_model("org/absent");
  REQUIRE(wait_for_reason(config, "cannot be converted"));
  CHECK(says(config.checks(), Check::State::wrong, "hf download org/absent"));
  config.set_model("org/Part");
  REQUIRE(wait_for_reason(config, "cannot be converted"));
  CHECK(says(config.checks(), Check::State::wrong, "was downloaded in part"));
}

TEST_CASE("model: NaN weights are found after the headers were checked") {
  const WizardGround ground;
  const auto file = ground.folder / "pico" / "model.safetensors";
  {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    const unsigned char nan[4] = {0, 0, 0xc0, 0x7f};
    bytes.seekp(-4, std::ios::end);
    bytes.write(reinterpret_cast<const char*>(nan), 4);
  }
  ModelPageConfig config(Engine{});
  config.set_model(ground.model());
  REQUIRE(wait_for_reason(config, "cannot be converted"));
  CHECK(says(config.checks(), Check::State::wrong, "NaN"));
}

TEST_CASE("model: a remote engine is asked, and its problems are listed") {
  Inspection told;
  told.config.architecture = "LlamaForCausalLM";
  told.config.layers = 6;
  told.config.hidden_size = 192;
  told.weight_bytes = 2;
  told.threads = 96;
  const StandInSsh ssh;
  {
    const StandInEngine good(StandInEngine::finding(to_json(told).dump()));
    ModelPageConfig config(ssh.engine(good.program()));
    config.set_model("models/far");
    REQUIRE(wait_until_ready(config));
    CHECK(config.facts()->config.hidden_size == 192);
    CHECK(config.facts()->weight_bytes == 2);
    CHECK(config.facts()->path == "models/far");
    CHECK(config.facts()->threads == 96);
  }
  const StandInEngine bad(StandInEngine::complaining("There is no such folder.", "Check the name.", 2));
  ModelPageConfig config(ssh.engine(bad.program()));
  config.set_model("models/none");
  REQUIRE(wait_for_reason(config, "cannot be converted"));
  CHECK(says(config.checks(), Check::State::wrong, "There is no such folder."));
}

TEST_CASE("model: a remote model with biases gets the same numbers as a local one") {
  const WizardGround ground({.attention_bias = true, .mlp_bias = true});
  const auto here = facts_of(ground.model());
  const StandInEngine engine(StandInEngine::finding(to_json(static_cast<const Inspection&>(*here)).dump()));
  const StandInSsh ssh;
  ModelPageConfig config(ssh.engine(engine.program()));
  config.set_model("models/far");
  REQUIRE(wait_until_ready(config));
  const auto there = config.facts();
  CHECK(there->config.qkv_bias);
  CHECK(there->config.mlp_bias);
  CHECK(there->config.activated_parameters() == here->config.activated_parameters());
  const auto sizes = [](const ModelFacts& facts) { return model_in_words(facts).section('\n', 0, 1); };
  CHECK(sizes(*there) == sizes(*here));
  CHECK(model_in_words(*there).endsWith(
      "\nSentencePiece tokenizer; texts start with BOS · safetensors, not quantised (F32)"));
  ExpertsPageConfig near_page(Engine{}), far_page(ssh.engine(engine.program()));
  near_page.set_model(here);
  far_page.set_model(there);
  REQUIRE(near_page.sketch());
  REQUIRE(far_page.sketch());
  CHECK(far_page.activated().least == near_page.activated().least);
  CHECK(far_page.activated().most == near_page.activated().most);
  CHECK(far_page.sketch()->ram_bytes == near_page.sketch()->ram_bytes);
  CHECK(far_page.sketch()->disk_bytes == near_page.sketch()->disk_bytes);
  CHECK(far_page.sketch()->seconds == near_page.sketch()->seconds);
}

TEST_CASE("text: files are counted and cut as the conversion will do it") {
  const WizardGround ground;
  TextPageConfig config(Engine{});
  TextFileModel model(config);
  const QAbstractItemModelTester tester(&model, TesterMode::Fatal);
  config.set_model(facts_of(ground.model()));
  config.set_recipe(small_recipe());
  CHECK(config.reason().contains("Add text files"));
  config.add_files({ground.text("a.txt"), ground.text("b.txt"), ground.text("a.txt")});
  CHECK(config.files().size() == 2);
  CHECK(config.reason().contains("Reading the text"));
  REQUIRE(wait_until_ready(config));
  CHECK(config.look()->calibration == 16);
  CHECK(config.look()->tables == 4);
  CHECK(model.index(0, TextFileModel::taken).data().toString() == "768");
  REQUIRE(config.look()->windows.size() == 16);
  CHECK(config.look()->windows[0].tokens.size() == 64);
  CHECK(config.look()->windows[0].special.front() == 0);  // BOS

  Recipe more = small_recipe();
  more.tokens = 10'000'000;
  config.set_recipe(more);
  REQUIRE(wait_for_reason(config, "too few tokens"));
  CHECK(config.look()->files[0].tokens > 1000);  // the file is counted all the same
  const auto fewer = config.fewer();
  REQUIRE(fewer);
  CHECK(config.reason().contains("use fewer"));
  more.tokens = fewer->tokens;
  more.held_out_tokens = fewer->held_out_tokens;
  config.set_recipe(more);
  REQUIRE(wait_until_ready(config));
  CHECK_FALSE(config.fewer());
  config.remove_file(0);
  config.remove_file(0);
  CHECK(config.reason().contains("Add text files"));
}

TEST_CASE("text: a file that is too short to be cut leads to a way out that is on this page") {
  const WizardGround ground;
  std::ofstream(ground.folder / "short.txt") << "Once.\n";
  TextPageConfig config(Engine{});
  config.set_model(facts_of(ground.model()));
  config.set_recipe(small_recipe());
  config.add_files({ground.text("short.txt")});
  REQUIRE(wait_for_reason(config, "too few tokens"));
  CHECK_FALSE(config.fewer());
  CHECK(config.reason().contains("Add text, or let the model generate it."));
}

TEST_CASE("text: a file that cannot be read is named; the model may write its own") {
  const WizardGround ground;
  TextPageConfig config(Engine{});
  config.set_model(facts_of(ground.model()));
  config.set_recipe(small_recipe());
  config.add_files({ground.text("none.txt")});
  REQUIRE(wait_for_reason(config, "none.txt"));
  config.set_self_text(true);
  CHECK(config.is_ready());
  CHECK_FALSE(config.look());
}

TEST_CASE("text: a file without text is marked in its row") {
  const WizardGround ground;
  TextPageConfig config(Engine{});
  TextFileModel model(config);
  config.set_model(facts_of(ground.model()));
  config.set_recipe(small_recipe());
  const QString empty = ground.text("empty.txt");
  write_file(empty.toStdString(), "");
  config.add_files({ground.text("a.txt"), empty});
  REQUIRE(wait_for_reason(config, "contains no text"));
  CHECK(model.index(1, TextFileModel::tokens).data().toString() == "cannot be used");
  CHECK(model.index(1, TextFileModel::tokens).data(Qt::ToolTipRole).toString().contains("contains no text"));
  CHECK(model.index(0, TextFileModel::tokens).data(Qt::ToolTipRole).toString() == ground.text("a.txt"));
}

TEST_CASE("text: a remote engine counts its files and shows their windows") {
  const std::string plan =
      R"({"resumes":false,"steps":[],"tokens":128,"windows":2,"ram_bytes":1,"disk_bytes":1,"seconds":1,"partition":null,)"
      R"("problems":[],"recipe":{},"look":{"files":[{"tokens":5000,"added_tokens":0,"estimated":true,"taken":128,"conversations":false}],)"
      R"("calibration":2,"tables":1,"checking":1,"windows":[{"tokens":["Once"," upon"],"special":[0]},{"tokens":["a"],"special":[]}],)"
      R"("problems":[]}})";
  const StandInEngine engine("echo \"$*\" >> \"$0.asked\"\n" + StandInEngine::finding(plan));
  const StandInSsh ssh;
  ModelFacts far;
  far.path = "models/far";
  far.config = read_model(WizardGround().model()).config;
  TextPageConfig config(ssh.engine(engine.program()));
  TextFileModel model(config);
  Recipe recipe = small_recipe();
  recipe.model = "models/far";
  config.set_model(std::make_shared<const ModelFacts>(far));
  config.set_recipe(recipe);
  config.add_files({"~/far.txt"});
  CHECK(config.reason().contains("Reading the text"));
  REQUIRE(wait_until_ready(config));
  CHECK(config.look()->windows[0] == WindowLook{{"Once", " upon"}, {0}});
  CHECK(model.index(0, TextFileModel::tokens).data().toString().toStdString() == "about 5.00K");
  CHECK(model.index(0, TextFileModel::taken).data().toString() == "128");
  const std::string asked = read_file(engine.folder() / "ladimo.asked");
  CHECK(asked.starts_with("plan models/far "));
  CHECK(asked.find("--look ") != std::string::npos);

  const StandInEngine lost("exit 127");
  TextPageConfig unreachable(ssh.engine(lost.program()));
  unreachable.set_model(std::make_shared<const ModelFacts>(far));
  unreachable.set_recipe(recipe);
  unreachable.add_files({"far.txt"});
  REQUIRE(wait_for_reason(unreachable, "was not found"));
}

TEST_CASE("~ is the home folder, on this machine and on another") {
  const Engine here{"ladimo", {}}, there{"~/bin/ladimo", "far"};
  CHECK(here.in_full("~/runs/a") == QDir::homePath() + "/runs/a");
  CHECK(here.in_full("~") == QDir::homePath());
  CHECK(here.in_full("a/../b") == QDir::currentPath() + "/b");
  CHECK(here.in_full("/a/") == "/a");
  CHECK(here.in_full({}).isEmpty());
  CHECK(there.in_full("~/runs/a") == "~/runs/a");
  CHECK(shell_word("~/it's") == R"(~/'it'\''s')");
  CHECK(shell_word("~") == "'~'");
  const QString line = there.command({"show", "~/runs/a b"}).arguments.last();
  CHECK_MESSAGE(line.contains("~/bin/ladimo show ~/'runs/a b';"), line.toStdString());
}

TEST_CASE("experts: defaults come from the model, and settings that do not fit give a reason") {
  const WizardGround ground;
  ExpertsPageConfig config(Engine{});
  CHECK(config.reason().contains("Choose a model"));
  config.set_model(facts_of(ground.model()));
  REQUIRE(config.is_ready());
  CHECK(config.recipe().experts == 4);
  CHECK(config.recipe().shared == 1);
  CHECK(config.recipe().window == 64);
  CHECK(config.sketch()->seconds > 0);
  CHECK(config.activated().least < config.activated().most);
  config.change([](Recipe& recipe) { recipe.experts = 12; });
  CHECK(config.recipe().shared == 3);  // a quarter of the new number of experts

  const struct {
    void (*change)(Recipe&);
    const char* part;
  } rows[] = {{[](Recipe& r) { r.shared = r.experts; }, "no routed experts remain"},
              {[](Recipe& r) { r.experts = 49; }, "cannot be split into 49 experts"},
              {[](Recipe& r) { r.window = 65; }, "2 to 64"},
              {[](Recipe& r) { r.tokens = 100; }, "do not fill two windows"},
              {[](Recipe& r) { r.held_out_tokens = 100; }, "held-out tokens do not fill"}};
  for (const auto& [change, part] : rows) {
    CAPTURE(part);
    const Recipe before = config.recipe();
    config.change(change);
    CHECK_MESSAGE(config.reason().contains(part), config.reason().toStdString());
    CHECK_FALSE(config.sketch());
    config.change([&](Recipe& recipe) { recipe = before; });
    CHECK(config.is_ready());
  }
  config.set_layers("0,5");
  CHECK(config.reason().contains("no layer 5"));
  config.set_layers("1");
  CHECK(config.recipe().layers == std::vector<int>{1});
  CHECK(config.is_ready());
}

TEST_CASE("experts: more calibration tokens take more time and memory; a full disk is reported at once") {
  const WizardGround ground;
  ExpertsPageConfig config(Engine{});
  config.set_model(facts_of(ground.model()));
  const Plan before = *config.sketch();
  config.change([](Recipe& recipe) { recipe.tokens *= 100; });
  CHECK(config.sketch()->seconds > before.seconds);
  CHECK(config.sketch()->ram_bytes > before.ram_bytes);
  qputenv("LADIMO_DISK_FREE_BYTES", "1000");
  config.set_run_folder(ground.text("run"));
  CHECK(config.reason().contains("of disk"));
  qunsetenv("LADIMO_DISK_FREE_BYTES");
}

TEST_CASE("the choices become the command that carries them out") {
  const WizardGround ground;
  const ModelConfig model = read_model(ground.model()).config;
  Recipe recipe = default_recipe(model);
  recipe.model = "models/pico";
  CHECK(conversion_arguments("convert", recipe, model, "runs/a") ==
        QStringList{"convert", "models/pico", "-o", "runs/a", "--text", "self"});
  recipe.text = {"a text.txt", "b.txt"};
  recipe.experts = 12;
  recipe.shared = 2;
  recipe.layers = {1};
  recipe.stage1.distil = false;
  const QStringList arguments = conversion_arguments("plan", recipe, model, "runs/a");
  CHECK(command_line(arguments) ==
        R"(ladimo plan models/pico -o runs/a --text 'a text.txt' b.txt --experts 12 --shared 2 --layers 1 )"
        R"(--recipe '{"stage1":{"distil":false}}')");
  CHECK(layers_text({0, 1, 2, 4, 7, 8}, 9) == "0-2,4,7-8");
  CHECK(layers_text({}, 9) == "none");
}

TEST_CASE("experts: a run may be made for a format, and for any again, without losing other choices") {
  const WizardGround ground;
  ExpertsPageConfig config(Engine{});
  config.set_model(facts_of(ground.model()));
  config.change([](Recipe& recipe) { recipe.experts = 12; });
  config.change([](Recipe& recipe) { recipe.stage1.compensation = false; });
  const auto arguments = [&] {
    return command_line(conversion_arguments("convert", config.recipe(), config.model()->config, "r"));
  };
  const QString free = arguments();
  config.set_target("mixtral");
  CHECK(config.is_ready());
  CHECK(config.recipe().target == "mixtral");
  CHECK(config.recipe().stage1.top_k);
  CHECK(config.recipe().shared == 0);  // the format has no shared experts
  CHECK_MESSAGE(arguments().endsWith("--experts 12 --for mixtral"), arguments().toStdString());
  config.change([](Recipe& recipe) {
    recipe.experts = 8;
    recipe.stage1.epochs = 5;
  });
  CHECK(config.recipe().shared == 0);
  CHECK_MESSAGE(arguments().endsWith(R"(--experts 8 --for mixtral --recipe '{"stage1":{"epochs":5}}')"),
                arguments().toStdString());
  config.set_text({ground.text("a.txt")});
  config.set_model(config.model());  // the person went back and forth
  CHECK(config.recipe().target == "mixtral");
  config.set_text({});

  config.set_target("glm4moe");
  CHECK(config.recipe().shared == 2);
  CHECK(config.recipe().stage1.router_bias);
  CHECK(arguments().contains("--for glm4moe"));
  CHECK(arguments().contains("epochs"));
  CHECK_FALSE(arguments().contains("--shared"));
  config.change([](Recipe& recipe) { recipe.shared = 1; });
  config.set_target("granitemoeshared");
  CHECK(config.recipe().shared == 1);  // a person chose it
  CHECK_FALSE(config.recipe().stage1.router_bias);

  config.change([](Recipe& recipe) {
    recipe.experts = 12;
    recipe.shared = 3;
    recipe.stage1.epochs = Recipe{}.stage1.epochs;
  });
  config.set_target({});
  CHECK(arguments() == free);
}

TEST_CASE("experts: a run for a format has sizes that are fast in llama.cpp, unless a person chose others") {
  auto facts = std::make_shared<ModelFacts>(*facts_of(WizardGround().model()));
  facts->config.intermediate_size = 1536;
  ExpertsPageConfig config(Engine{});
  config.set_model(facts);
  CHECK(config.recipe().experts == 64);
  config.set_target("glm4moe");
  CHECK(config.recipe().experts == 48);
  CHECK(config.recipe().shared == 12);
  CHECK_FALSE(command_line(conversion_arguments("convert", config.recipe(), facts->config, "r"))
                  .contains("--experts"));
  config.set_target({});
  CHECK(config.recipe().experts == 64);
  config.change([](Recipe& recipe) { recipe.experts = 16; });
  config.set_target("glm4moe");
  CHECK(config.recipe().experts == 16);
}

TEST_CASE("experts: a format that cannot hold the model or its dense layers gives a reason") {
  const WizardGround ground({.attention_bias = true});
  ExpertsPageConfig config(Engine{});
  config.set_model(facts_of(ground.model()));
  config.set_target("mixtral");
  CHECK(config.reason().contains("Mixtral cannot hold this model: it has no biases of queries"));
  config.set_target({});
  CHECK(config.is_ready());

  const WizardGround plain;
  config.set_model(facts_of(plain.model()));
  CHECK(config.recipe().target.empty());  // another model begins with its own defaults
  config.set_target("mixtral");
  config.set_layers("1");
  CHECK(config.reason().contains("Mixtral has experts in every layer"));
  config.set_target("qwen2moe");
  CHECK(config.is_ready());
}

TEST_CASE("summary: the engine makes one plan for the same settings, and its refusals are shown") {
  const std::string plan =
      R"({"resumes":false,"steps":[{"name":"layers","description":"Layers become experts.","seconds":12.5,"done":false}],)"
      R"("tokens":1024,"windows":16,"ram_bytes":1000,"disk_bytes":2000,"seconds":12.5,"partition":null,)"
      R"("problems":[],"recipe":{"experts":4,"shared":1,"layers":[0,1]}})";
  const WizardGround ground;
  const ModelConfig model = read_model(ground.model()).config;
  Recipe recipe = default_recipe(model);
  recipe.model = ground.model().toStdString();
  const StandInEngine engine("echo x >> \"$0.calls\"\n" + StandInEngine::finding(plan));
  SummaryPageConfig config(engine.engine());
  config.set_choices(recipe, model);
  CHECK(config.run_folder().contains("pico-4x1"));
  config.make_plan();
  CHECK(config.reason().contains("Making the plan"));
  REQUIRE(wait_until_ready(config));
  CHECK(config.plan()->steps[0].seconds == 12.5);
  config.set_choices(recipe, model);
  config.make_plan();
  CHECK(config.is_ready());
  CHECK(std::filesystem::file_size(engine.folder() / "ladimo.calls") == 2);
  config.set_run_folder(ground.text("run"));
  CHECK(config.reason().contains("no plan yet"));
  config.set_choices(recipe, model);
  CHECK(config.run_folder() == ground.text("run"));  // a person chose this folder, so it stays
  config.set_run_folder("~/runs/a");
  CHECK(config.run_folder() == QDir::homePath() + "/runs/a");
  config.set_run_folder("runs/a");
  CHECK(config.run_folder() == QDir::currentPath() + "/runs/a");
}

TEST_CASE(
    "summary: a conversion that began keeps its folder while the choices are the same, and is planned "
    "again") {
  const WizardGround ground;
  const ModelConfig model = read_model(ground.model()).config;
  Recipe recipe = default_recipe(model);
  recipe.model = ground.model().toStdString();
  SummaryPageConfig config(Engine{"/nonexistent/ladimo", {}});
  qputenv("HOME", ground.text("").toUtf8());
  config.set_choices(recipe, model);
  const QString begun = config.run_folder();
  config.begin();
  CHECK_FALSE(config.plan());
  REQUIRE(QDir().mkpath(begun));
  config.set_choices(recipe, model);
  CHECK(config.run_folder() == begun);
  Recipe other = recipe;
  other.tokens = 2048;
  config.set_choices(other, model);
  CHECK(config.run_folder() == begun + "-2");
  config.set_choices(recipe, model);
  CHECK(config.run_folder() == begun);
}

TEST_CASE("summary: a folder that holds a run with other settings is refused") {
  const WizardGround ground;
  const ModelConfig model = read_model(ground.model()).config;
  const Recipe recipe = default_recipe(model);
  Recipe in_run = recipe;
  in_run.model = "elsewhere";
  in_run.compute = "fp32";  // the engine resolves what the wizard leaves open
  in_run.finish.block = 0;
  const auto plan_of = [](const Recipe& found) {
    return nlohmann::json{{"resumes", true},
                          {"steps", nlohmann::json::array()},
                          {"tokens", 1},
                          {"windows", 1},
                          {"ram_bytes", 1},
                          {"disk_bytes", 1},
                          {"seconds", 1},
                          {"problems", nlohmann::json::array()},
                          {"recipe", to_json(found)}}
        .dump();
  };
  const StandInEngine same(StandInEngine::finding(plan_of(in_run)));
  SummaryPageConfig going_on(same.engine());
  going_on.set_choices(recipe, model);
  going_on.make_plan();
  REQUIRE(wait_until_ready(going_on));
  in_run.stage1.distil = false;
  const StandInEngine different(StandInEngine::finding(plan_of(in_run)));
  SummaryPageConfig config(different.engine());
  config.set_choices(recipe, model);
  config.make_plan();
  REQUIRE(wait_for_reason(config, "a run with other settings"));
  CHECK(config.reason().contains("distil"));
}

TEST_CASE("summary: refused and broken plans give a reason") {
  const std::string refused =
      R"({"resumes":false,"steps":[],"tokens":0,"windows":0,"ram_bytes":0,"disk_bytes":0,"seconds":0,"partition":null,)"
      R"("problems":[{"message":"The run folder is a file.","hint":"Name another.","path":"x"}],"recipe":{}})";
  const std::pair<std::string, const char*> rows[] = {
      {StandInEngine::finding(refused) + "\nexit 2", "The run folder is a file. Name another."},
      {StandInEngine::complaining("No such model.", "Check it.", 2), "No such model."},
      {"kill -KILL $$", "memory"}};
  const WizardGround ground;
  const ModelConfig model = read_model(ground.model()).config;
  for (const auto& [script, part] : rows) {
    CAPTURE(part);
    const StandInEngine engine(script);
    SummaryPageConfig config(engine.engine());
    config.set_choices(default_recipe(model), model);
    config.make_plan();
    REQUIRE(wait_for_reason(config, part));
    CHECK_FALSE(config.is_ready());
  }
}

TEST_CASE("the engine computes the partition of a layer, and only the last request counts") {
  const StandInEngine engine(
      "for last; do :; done\n"
      "echo '{\"event\":\"sample\",\"layer\":1,\"partition\":[-1,0,1,1]}'\n" +
      StandInEngine::finding("{}"));
  PartitionSampler sampler(engine.engine());
  sampler.request({"plan", "first"}, 0);
  CHECK(sampler.drawing());
  sampler.request({"plan", "second"}, 1);
  REQUIRE(QTest::qWaitFor([&] { return !sampler.drawing(); }, patience_ms));
  CHECK(sampler.partition() == std::vector<int>{-1, 0, 1, 1});
  sampler.rest("Not yet.");
  CHECK(sampler.partition().empty());
  CHECK(sampler.problem() == "Not yet.");

  const StandInEngine bad(StandInEngine::complaining("No.", "Try.", 2));
  PartitionSampler refused(bad.engine());
  refused.request({"plan"}, 0);
  REQUIRE(QTest::qWaitFor([&] { return !refused.drawing(); }, patience_ms));
  CHECK(refused.problem() == "No. Try.");
  refused.request({"plan"}, 0);
  CHECK(refused.drawing());  // a request that failed may be repeated
}
