#include <doctest/doctest.h>

#include <fstream>

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QRadioButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTableView>
#include <QTextBlock>
#include <QToolButton>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "opened_run.h"
#include "palettes.h"
#include "run/inspection.h"
#include "stand_in_engine.h"
#include "support/gguf_file.h"
#include "ui/plots/partition_picture.h"
#include "ui/wizard/conversion_arguments.h"
#include "ui/wizard/conversion_wizard.h"
#include "ui/wizard/distillation_page.h"
#include "ui/wizard/model_page.h"
#include "ui/wizard/window_view.h"
#include "wizard_support.h"

using namespace ladimo;
using namespace ladimo::ui;
using namespace ladimo::testing;

namespace {

QString words(const QWidget& widget) {
  QStringList seen;
  for (const auto* label : widget.findChildren<QLabel*>())
    if (label->isVisible()) seen << label->text();
  return seen.join('\n');
}

bool wait_for(const QWidget& widget, const char* text) {
  return QTest::qWaitFor([&] { return words(widget).contains(QLatin1String(text)); }, patience_ms);
}

template <class Widget>
Widget* part(const QWidget& widget, const char* name) {
  auto* found = widget.findChild<Widget*>(QLatin1String(name));
  REQUIRE(found != nullptr);
  return found;
}

QPushButton* button_called(const QWidget& widget, const QString& text) {
  for (auto* button : widget.findChildren<QPushButton*>())
    if (button->isVisible() && button->text() == text) return button;
  return nullptr;
}

void click_next(ConversionWizard& wizard) {
  auto* next = wizard.button(QWizard::NextButton);
  REQUIRE(QTest::qWaitFor([&] { return next->isEnabled(); }, patience_ms));
  next->click();
}

const std::string plan_json =
    R"({"resumes":false,"steps":[{"name":"calibration text","description":"1,024 calibration tokens in 16 windows.","seconds":0.5,"done":false},)"
    R"({"name":"layers","description":"The FFNs of 3 of 3 layers become 16 experts each, 4 shared.","seconds":30,"done":false},)"
    R"({"name":"routing profile","description":"How the routing weights are distributed.","seconds":2,"done":false},)"
    R"({"name":"sensitivity","description":"What every candidate policy changes.","seconds":5,"done":false},)"
    R"({"name":"latency","description":"How long a token takes.","seconds":5,"done":false},)"
    R"({"name":"frontier","description":"Policies for all layers together.","seconds":5,"done":false}],)"
    R"("tokens":1024,"windows":16,"ram_bytes":500000000,"disk_bytes":2000000,"seconds":47.5,"partition":null,)"
    R"("problems":[],"recipe":{"experts":16,"shared":4,"layers":[0,1,2]}})";

std::string sample_json() {
  std::string cells;
  for (int i = 0; i < 48; ++i) cells += (i ? "," : "") + std::to_string(i % 4 - 1);
  return R"({"event":"sample","layer":0,"partition":[)" + cells + "]}";
}

/// A stand-in engine that plans and samples. It converts by playing a recording up to a line, then runs
/// `then`.
StandInEngine playing(int lines, const std::string& then) {
  return StandInEngine("case \"$1\" in\nplan) case \"$*\" in *--sample*) echo '" + sample_json() +
                       "';; esac\n" + StandInEngine::finding(plan_json) + "\n;;\nconvert) head -n " +
                       std::to_string(lines) + " '" LADIMO_TEST_DATA "/events/conversion.jsonl'\n" + then +
                       "\n;;\nesac");
}
constexpr int middle = 70;      // a line in the distillation of the second layer
constexpr int whole = 1 << 20;  // more than all lines of the recording

/// A wizard of the ground's model and text, moved to the summary.
void go_to_summary(ConversionWizard& wizard, const WizardGround& ground) {
  wizard.show();
  wizard.set_model(ground.model());
  click_next(wizard);
  part<QRadioButton>(wizard, "text_own")->click();
  click_next(wizard);
  click_next(wizard);
}

void start_converting(ConversionWizard& wizard, const WizardGround& ground) {
  go_to_summary(wizard, ground);
  part<QLineEdit>(wizard, "run_folder")->setText(ground.text("run"));
  emit part<QLineEdit>(wizard, "run_folder")->textEdited(ground.text("run"));
  click_next(wizard);
}

void keep(QWidget& widget, const QString& name) {
  const QString pictures = qEnvironmentVariable("LADIMO_PICTURES");
  const QImage image = widget.grab().toImage();
  CHECK_FALSE(image.isNull());
  if (pictures.isEmpty()) return;
  QDir().mkpath(pictures);
  CHECK(image.save(pictures + '/' + name + ".png"));
}

}  // namespace

TEST_CASE("the wizard leads through all pages to the finished run") {
  const WizardGround ground;
  const StandInEngine engine = playing(whole, "");
  ConversionWizard wizard(engine.engine());
  QSignalSpy opened(&wizard, &ConversionWizard::run_finished);
  QSignalSpy started(&wizard, &ConversionWizard::conversion_started);
  start_converting(wizard, ground);
  CHECK(started.count() == 1);
  REQUIRE(wait_for(wizard, "Finished: 3 layers"));
  CHECK(started.at(0).at(0).toString() == ground.text("run"));
  CHECK(part<QProgressBar>(wizard, "progress")->value() == 1000);
  CHECK_FALSE(part<QPushButton>(wizard, "pause")->isVisible());
  CHECK(wizard.button(QWizard::FinishButton)->isEnabled());
  wizard.button(QWizard::FinishButton)->click();
  REQUIRE(opened.count() == 1);
  CHECK(opened.at(0).at(0).toString() == ground.text("run"));
}

TEST_CASE("pause keeps finished layers, and continue goes on from there") {
  const WizardGround ground;
  const StandInEngine engine =
      playing(middle, "if [ -e \"$0.again\" ]; then tail -n +" + std::to_string(middle + 1) +
                          " '" LADIMO_TEST_DATA
                          "/events/conversion.jsonl'; exit 0; fi\n"
                          "touch \"$0.again\"; exec sleep 60");
  ConversionWizard wizard(engine.engine());
  start_converting(wizard, ground);
  auto* pause = part<QPushButton>(wizard, "pause");
  REQUIRE(wait_for(wizard, "of 3"));
  CHECK(wizard.busy());
  CHECK_FALSE(wizard.button(QWizard::FinishButton)->isEnabled());
  CHECK_FALSE(wizard.button(QWizard::BackButton)->isEnabled());
  pause->click();
  REQUIRE(wait_for(wizard, "Paused"));
  CHECK_FALSE(wizard.busy());
  CHECK(words(wizard).contains("kept in"));
  CHECK(pause->text() == "&Continue");
  auto* log = part<QPlainTextEdit>(wizard, "log");
  const QString line = log->document()->firstBlock().text();
  log->moveCursor(QTextCursor::Start);
  log->moveCursor(QTextCursor::EndOfBlock, QTextCursor::KeepAnchor);
  pause->click();
  REQUIRE(wait_for(wizard, "Finished: 3 layers"));
  CHECK(log->toPlainText().contains("Layer 2: loss"));
  CHECK(log->textCursor().selectedText() == line);  // the selection stays while lines arrive
}

TEST_CASE("going back and forth from a paused conversion continues the run with its finished layers") {
  const WizardGround ground;
  qputenv("HOME", ground.text("").toUtf8());
  const std::string show =
      R"({"recipe":{"model":"models/pico","experts":16,"shared":4,"layers":[0,1,2]},"layers":[{"layer":0,"done":true,)"
      R"("loss_before":0.4,"loss_refit":0.3,"loss_after":0.25,"router_r2":0.5,"held_out_losses":[],"hash":"00"}],)"
      R"("profile":null,"tradeoff":null,"latency":null,"policy":null,"policies":{},"measurements":[],"timing":{}})";
  nlohmann::json going_on = nlohmann::json::parse(plan_json);
  going_on["resumes"] = true;
  going_on["recipe"] = to_json(default_recipe(read_model(ground.model()).config));
  const std::string events = " '" LADIMO_TEST_DATA "/events/conversion.jsonl'";
  const StandInEngine engine(
      "case \"$1\" in\nplan) if [ -e \"$0.begun\" ]; then\n" + StandInEngine::finding(going_on.dump()) +
      "\nelse\n" + StandInEngine::finding(plan_json) + "\nfi ;;\nshow)\n" + StandInEngine::finding(show) +
      "\n;;\nconvert) echo \"$2 $4\" >> \"$0.folders\"\nif [ -e \"$0.begun\" ]; then tail -n +" +
      std::to_string(middle + 1) + events + "; exit 0; fi\nmkdir -p \"$4\"; touch \"$0.begun\"; head -n " +
      std::to_string(middle) + events + "; exec sleep 60 ;;\nesac");
  ConversionWizard wizard(engine.engine());
  go_to_summary(wizard, ground);
  click_next(wizard);
  REQUIRE(wait_for(wizard, "of 3"));
  part<QPushButton>(wizard, "pause")->click();
  REQUIRE(wait_for(wizard, "Paused"));
  wizard.back();
  click_next(wizard);
  REQUIRE(wait_for(wizard, "Finished: 2 layers converted, mean loss 0.239"));
  std::ifstream file(engine.folder() / "ladimo.folders");
  std::string first, second;
  REQUIRE(std::getline(file, first));
  REQUIRE(std::getline(file, second));
  CHECK(first == second);
  const auto* layers = part<QTableView>(wizard, "conversion_layers")->model();
  CHECK(layers->index(0, 1).data().toString() == "finished");
  CHECK(layers->index(0, 2).data().toString() == "0.400");
}

TEST_CASE("the summary says what the folder holds already, and what its button does") {
  const WizardGround ground;
  nlohmann::json plan = nlohmann::json::parse(plan_json);
  plan["recipe"] = to_json(default_recipe(read_model(ground.model()).config));
  const struct {
    bool resumes, done;
    const char *words, *button;
  } rows[] = {{false, false, "Nothing has been written yet", "&Start converting"},
              {true, false, "it is not finished", "&Continue converting"},
              {true, true, "already finished", "&Go on to the run"}};
  for (const auto& row : rows) {
    CAPTURE(row.words);
    plan["resumes"] = row.resumes;
    for (auto& step : plan["steps"]) step["done"] = row.done;
    const StandInEngine engine("case \"$1\" in\nplan)\n" + StandInEngine::finding(plan.dump()) +
                               "\n;;\nesac");
    ConversionWizard wizard(engine.engine());
    go_to_summary(wizard, ground);
    REQUIRE(
        QTest::qWaitFor([&] { return wizard.currentPage()->subTitle().contains(row.words); }, patience_ms));
    CHECK(wizard.button(QWizard::NextButton)->text() == row.button);
  }
}

TEST_CASE("a number can be typed without interference, and a refused number stays visible") {
  const WizardGround ground;
  const StandInEngine engine = playing(whole, "");
  ConversionWizard wizard(engine.engine());
  go_to_summary(wizard, ground);
  wizard.back();
  wizard.back();
  CHECK(wizard.currentPage()->objectName() == "text_page");  // where the tokens are counted
  auto* tokens = part<QSpinBox>(wizard, "tokens");
  REQUIRE(wizard.currentPage()->isAncestorOf(tokens));
  tokens->setFocus();
  tokens->selectAll();
  QTest::keyClicks(tokens, "1024");
  CHECK(tokens->value() == 1024);
  REQUIRE(wait_for(wizard, "1,024 calibration tokens"));
  click_next(wizard);
  part<QSpinBox>(wizard, "shared")->setValue(9);
  CHECK(part<QSpinBox>(wizard, "shared")->value() == 9);
  CHECK(words(wizard).contains("9 of 4 experts shared"));
  auto* layers = part<QLineEdit>(wizard, "layers");
  layers->setFocus();
  layers->selectAll();
  QTest::keyClicks(layers, "1");
  auto* sampled = part<QComboBox>(wizard, "sampled_layer");
  CHECK(sampled->count() == 1);
  CHECK(sampled->currentText() == "1");
}

TEST_CASE("the format that a run is made for stays chosen on the way back and forth") {
  const WizardGround ground;
  const StandInEngine engine = playing(whole, "");
  ConversionWizard wizard(engine.engine());
  go_to_summary(wizard, ground);
  const QString free = part<QPlainTextEdit>(wizard, "command_line")->toPlainText();
  wizard.back();
  auto* made_for = part<QComboBox>(wizard, "made_for");
  CHECK(made_for->count() == 5);
  CHECK(made_for->currentText() == "Any (best in the native format)");
  auto* shared = part<QSpinBox>(wizard, "shared");
  const int usual = shared->value();
  const auto choose = [&](const char* title) {
    made_for->setCurrentText(QLatin1String(title));
    emit made_for->activated(made_for->currentIndex());
  };
  choose("Mixtral");
  CHECK(shared->value() == 0);
  for (const auto* box : wizard.findChildren<QCheckBox*>())
    if (box->text().contains("skipped")) CHECK_FALSE(box->isEnabled());
  wizard.back();
  click_next(wizard);
  CHECK(made_for->currentText() == "Mixtral");
  click_next(wizard);
  CHECK(part<QPlainTextEdit>(wizard, "command_line")->toPlainText().endsWith(" --for mixtral"));
  wizard.back();
  CHECK(made_for->currentText() == "Mixtral");
  choose("Any (best in the native format)");
  CHECK(shared->value() == usual);
  click_next(wizard);
  CHECK(part<QPlainTextEdit>(wizard, "command_line")->toPlainText() == free);
}

TEST_CASE("typed text stays unchanged while the previous model is still being read") {
  const WizardGround ground;
  ModelPageConfig config(Engine{});
  ModelPage page(config);
  page.show();
  config.set_model(ground.model());
  auto* folder = part<QLineEdit>(page, "model_folder");
  CHECK(folder->text() == ground.model());
  folder->setFocus();
  folder->selectAll();
  QTest::keyClicks(folder, "/an");
  emit config.changed();
  QTest::keyClicks(folder, "other");
  CHECK(folder->text() == "/another");
  folder->clear();
  QTest::keyClicks(folder, ground.model() + "/config.json");
  QTest::keyClick(folder, Qt::Key_Return);
  CHECK(folder->text() == ground.model());  // a file stands for its folder
}

TEST_CASE("the menu of the Hub has the models of the cache, and those that cannot be used with the reason") {
  const WizardGround ground;
  const FakeHub hub(ground);
  ModelPageConfig config(Engine{});
  ModelPage page(config);
  auto* menu = part<QMenu>(page, "hub_menu");
  const auto open = [&](const char* text) {
    emit menu->aboutToShow();
    REQUIRE(QTest::qWaitFor([&] { return menu->actions().first()->text().contains(QLatin1String(text)); },
                            patience_ms));
  };
  open("org/Part in the cache of the Hugging Face Hub was downloaded in part");
  REQUIRE(menu->actions().size() == 2);
  CHECK_FALSE(menu->actions()[0]->isEnabled());
  CHECK(menu->actions()[0]->toolTip().contains("hf download org/Part"));
  CHECK(menu->actions()[1]->text().startsWith("org/Tiny\t"));
  keep(*menu, "hub-menu");
  menu->actions()[1]->trigger();
  CHECK(config.model() == "org/Tiny");
  CHECK(part<QLineEdit>(page, "model_folder")->text() == "org/Tiny");
  REQUIRE(wait_until_ready(config));

  hub.clear();
  open("No models downloaded");
  REQUIRE(menu->actions().size() == 1);
  CHECK_FALSE(menu->actions()[0]->isEnabled());
}

TEST_CASE("the model page is drawn with what files say differently, and with what is refused") {
  const WizardGround ground;
  const auto folder = ground.folder / "pico";
  write_json(folder / "generation_config.json", {{"eos_token_id", {2, 7}}});
  write_json(folder / "tokenizer_config.json", {{"add_bos_token", false}});
  const auto draw = [&](const char* name, int rows, const QString& model) {
    for (const bool dark : {false, true}) {
      ModelPageConfig config(Engine{});
      ModelPage page(config);
      page.setPalette(dark ? dark_palette() : light_palette());
      page.setAutoFillBackground(true);
      page.resize(900, 560);
      page.show();
      config.set_model(model);
      REQUIRE(QTest::qWaitFor([&] { return !config.looking() && !config.checks().empty(); }, patience_ms));
      QTest::qWait(50);
      CHECK(part<QListView>(page, "preflight")->model()->rowCount() >= rows);
      keep_picture(page, QStringLiteral("model-page-%1-%2").arg(name, dark ? "dark" : "light"));
    }
  };
  draw("noted", 5, ground.model());
  const auto file =
      ground.folder / "a-model-with-a-long-name-that-says-all-about-it-0.6B-Instruct-2507-Q8_0.gguf";
  GgufFile gguf = gguf_of(folder, true);
  gguf.text("general.license", "apache-2.0");
  write_file(file, gguf.bytes());
  draw("gguf", 4, text_of(file));
  std::filesystem::remove(folder / "tokenizer.model");
  draw("refused", 1, ground.model());
}

TEST_CASE("Return adds a file of another machine and stays on the page") {
  Inspection far;
  far.config.architecture = "LlamaForCausalLM";
  far.config.layers = far.config.heads = far.config.kv_heads = 2;
  far.config.hidden_size = 32;
  far.config.intermediate_size = 48;
  far.config.head_dim = 16;
  far.config.vocab_size = 4096;
  far.config.max_positions = 64;
  far.config.dtype = "float32";
  far.weight_bytes = 4;
  far.threads = 2;
  nlohmann::json plan = nlohmann::json::parse(plan_json);
  plan["look"] = {{"files",
                   {{{"tokens", 5000},
                     {"added_tokens", 3},
                     {"estimated", false},
                     {"taken", 128},
                     {"conversations", true}}}},
                  {"calibration", 2},
                  {"tables", 1},
                  {"checking", 1},
                  {"windows",
                   {{{"tokens", {"<s>", "Once", " upon"}}, {"special", {0, 99}}},
                    {{"tokens", {"a time"}}, {"special", nlohmann::json::array()}}}},
                  {"problems", nlohmann::json::array()}};
  const StandInEngine engine("case \"$1\" in\ninspect)\n" + StandInEngine::finding(to_json(far).dump()) +
                             "\n;;\nplan)\n" + StandInEngine::finding(plan.dump()) + "\n;;\nesac");
  const StandInSsh ssh;
  ConversionWizard wizard(ssh.engine(engine.program()));
  wizard.show();
  wizard.set_model("models/far");
  click_next(wizard);
  const int page = wizard.currentId();
  auto* path = part<QLineEdit>(wizard, "text_path");
  for (const char* file : {"far.txt", "far.txt"}) {  // the second time the file is already in the list
    path->setFocus();
    QTest::keyClicks(path, file);
    QTest::keyClick(path, Qt::Key_Return);
    REQUIRE(wait_for(wizard, "to distil the experts"));
    CHECK(wizard.currentId() == page);
  }
  CHECK(part<WindowView>(wizard, "window_view")->toPlainText() == "<s>Once upon");
  const QString tints = part<QLabel>(wizard, "text_tints")->text();
  CHECK(tints.contains("Special tokens are blue. The files contain 3 special tokens."));
  CHECK(tints.contains("Conversations were formatted"));
  part<QSpinBox>(wizard, "window_number")->setValue(2);
  CHECK(part<WindowView>(wizard, "window_view")->toPlainText() == "a time");
}

TEST_CASE("tables and pictures of the wizard can be copied and saved") {
  const WizardGround ground;
  const StandInEngine engine = playing(whole, "");
  ConversionWizard wizard(engine.engine());
  for (const char* name :
       {"preflight", "text_files", "plan_steps", "conversion_steps", "conversion_layers"}) {
    CAPTURE(name);
    CHECK(part<QAbstractItemView>(wizard, name)->actions().size() == 2);
  }
  auto* picture = part<PartitionPicture>(wizard, "partition");
  CHECK(picture->actions().size() == 3);
  picture->show_partition({-1, 0, 1}, false);
  picture->save(ground.text("p.csv"));
  std::ifstream csv(ground.folder / "p.csv");
  CHECK(std::string(std::istreambuf_iterator<char>(csv), {}) == "neuron,expert\n0,shared\n1,0\n2,1\n");
  for (const char* name : {"p.png", "p.pdf"}) {
    picture->save(ground.text(name));
    CHECK(std::filesystem::file_size(ground.folder / name) > 100);
  }
  QSignalSpy failed(picture, &PartitionPicture::failed);
  picture->save(ground.text("none/p.csv"));
  CHECK(failed.count() == 1);
}

TEST_CASE("leaving a running conversion asks first, says what is kept, and the safe answer comes first") {
  const WizardGround ground;
  const StandInEngine engine = playing(middle, "exec sleep 60");
  ConversionWizard wizard(engine.engine());
  QSignalSpy rejected(&wizard, &QDialog::rejected);
  start_converting(wizard, ground);
  REQUIRE(wait_for(wizard, "of 3"));
  CHECK_FALSE(wizard.button(QWizard::CancelButton)->hasFocus());
  QTest::keyClick(&wizard, Qt::Key_Escape);
  REQUIRE(wait_for(wizard, "Stop the conversion"));
  CHECK(wizard.busy());
  button_called(wizard, "Keep converting")->click();
  CHECK(wizard.busy());
  CHECK(rejected.count() == 0);
  wizard.reject();
  button_called(wizard, "Stop and close")->click();
  REQUIRE(QTest::qWaitFor([&] { return rejected.count() == 1; }, patience_ms));
  CHECK_FALSE(wizard.busy());
}

TEST_CASE("a failure says what happened and what to do, and the conversion can be tried again") {
  const WizardGround ground;
  const StandInEngine engine =
      playing(middle, R"(echo '{"event":"warning","message":"Few tokens.","hint":"Give more."}')"
                      "\n" +
                          StandInEngine::complaining("The disk is full.", "Free some space.", 1));
  ConversionWizard wizard(engine.engine());
  start_converting(wizard, ground);
  REQUIRE(wait_for(wizard, "The conversion failed"));
  CHECK(words(wizard).contains("The disk is full."));
  CHECK(words(wizard).contains("Free some space."));
  CHECK(part<QPushButton>(wizard, "pause")->text() == "&Try again");
  CHECK(part<QPushButton>(wizard, "log_button")->text() == "&Log · 1 warning");
  CHECK(wizard.button(QWizard::BackButton)->isEnabled());
}

TEST_CASE("a run that was interrupted waits to be continued") {
  const std::string show =
      R"({"recipe":{"model":"models/pico","experts":16,"shared":4,"layers":[0,1,2]},"layers":[],"profile":null,)"
      R"("tradeoff":null,"latency":null,"policy":null,"policies":{},"measurements":[],"timing":{}})";
  const StandInEngine engine("case \"$1\" in\nshow)\n" + StandInEngine::finding(show) + "\n;;\nplan)\n" +
                             StandInEngine::finding(plan_json) +
                             "\n;;\nconvert) cat '" LADIMO_TEST_DATA "/events/conversion.jsonl';;\nesac");
  const std::unique_ptr<ConversionWizard> wizard(ConversionWizard::resume(engine.engine(), "runs/a"));
  wizard->show();
  REQUIRE(wait_for(*wizard, "Ready to continue"));
  CHECK_FALSE(wizard->busy());
  CHECK_FALSE(
      wizard->button(QWizard::BackButton)->isEnabled());  // a continued run has no page before this one
  part<QPushButton>(*wizard, "pause")->click();
  REQUIRE(wait_for(*wizard, "Finished: 3 layers"));

  const StandInEngine bad(StandInEngine::complaining("There is no run.", "Check the name.", 2));
  const std::unique_ptr<ConversionWizard> lost(ConversionWizard::resume(bad.engine(), "runs/a"));
  lost->show();
  REQUIRE(wait_for(*lost, "There is no run."));
}

// LADIMO_PICTURES=FOLDER keeps the pictures, so that they can be looked at.
TEST_CASE("every page can be drawn, empty and full, light and dark") {
  const WizardGround ground;
  const StandInEngine whole_run = playing(whole, ""), part_run = playing(middle, "exec sleep 60"),
                      bad = playing(middle,
                                    StandInEngine::complaining("The disk is full.", "Free some space.", 1));
  for (const bool dark : {false, true}) {
    QApplication::setPalette(dark ? dark_palette() : light_palette());
    const QString tint = dark ? "-dark" : "-light";
    ConversionWizard wizard(whole_run.engine());
    wizard.resize(1000, 700);
    wizard.show();
    keep(wizard, "wizard-1-model-empty" + tint);
    wizard.set_model("/nowhere");
    REQUIRE(wait_for(wizard, "cannot be converted"));
    keep(wizard, "wizard-1-model-refused" + tint);
    const QString demo = QStringLiteral(LADIMO_DEMO);
    wizard.set_model(demo);
    REQUIRE(QTest::qWaitFor([&] { return wizard.button(QWizard::NextButton)->isEnabled(); }, patience_ms));
    QTest::qWait(300);
    keep(wizard, "wizard-1-model" + tint);
    click_next(wizard);
    keep(wizard, "wizard-2-text-empty" + tint);
    part<QLineEdit>(wizard, "text_path")->setText(ground.text("a.txt"));
    part<QPushButton>(wizard, "text_add")->click();
    REQUIRE(wait_for(wizard, "too few tokens"));
    keep(wizard, "wizard-2-text-refused" + tint);
    part<QRadioButton>(wizard, "text_own")->click();
    click_next(wizard);
    QTest::qWait(200);
    keep(wizard, "wizard-3-experts-self" + tint);
    part<QToolButton>(wizard, "advanced")->click();
    QTest::qWait(100);
    keep(wizard, "wizard-3-experts-advanced" + tint);
    wizard.back();
    part<QRadioButton>(wizard, "text_from_files")->click();
    part<QSpinBox>(wizard, "tokens")->setValue(2048);
    part<QSpinBox>(wizard, "held_out")->setValue(1024);
    REQUIRE(wait_for(wizard, "to distil the experts"));
    keep(wizard, "wizard-2-text" + tint);
    click_next(wizard);
    REQUIRE(QTest::qWaitFor([&] { return !part<PartitionPicture>(wizard, "partition")->partition().empty(); },
                            patience_ms));
    QTest::qWait(100);
    keep(wizard, "wizard-3-experts" + tint);
    click_next(wizard);
    REQUIRE(QTest::qWaitFor([&] { return wizard.button(QWizard::NextButton)->isEnabled(); }, patience_ms));
    keep(wizard, "wizard-4-summary" + tint);
    click_next(wizard);
    REQUIRE(wait_for(wizard, "Finished: 3 layers"));
    QTest::qWait(100);
    keep(wizard, "wizard-5-finished" + tint);

    ConversionWizard running(part_run.engine());
    running.resize(1000, 700);
    start_converting(running, ground);
    REQUIRE(wait_for(running, "of 3"));
    QTest::qWait(500);
    keep(running, "wizard-5-running" + tint);
    running.reject();
    QTest::qWait(50);
    keep(running, "wizard-5-leaving" + tint);
    ConversionWizard failed(bad.engine());
    failed.resize(1000, 700);
    start_converting(failed, ground);
    REQUIRE(wait_for(failed, "The conversion failed"));
    keep(failed, "wizard-5-failed" + tint);
  }
  QApplication::setPalette(QPalette());
}
