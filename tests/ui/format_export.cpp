#include "ui/panels/format_export.h"

#include <doctest/doctest.h>

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTableView>
#include <QToolButton>

#include "base/files.h"
#include "example_formats.h"
#include "opened_run.h"
#include "palettes.h"
#include "ui/models/run_history.h"
#include "ui/panels/export_place.h"

using namespace ladimo;
using ladimo::testing::child;
using ladimo::testing::keep_picture;
using ladimo::testing::OpenedRun;
using ladimo::testing::StandInEngine;
using ladimo::testing::wait_until;
using ui::ExportChoice;
using ui::FormatExport;
using ui::FormatsModel;
using ui::RunHistory;
using ui::WrittenModel;

namespace {

/// Answers with the example's formats, and writes with `exporting`. Keeps the command lines in ladimo.asked.
std::string script(const std::string& exporting, const std::string& formats = {}) {
  return "echo \"$*\" >> \"$0.asked\"\ncase \"$*\" in\n*--formats*)\n" +
         (formats.empty() ? StandInEngine::finding(testing::example_formats().dump()) : formats) +
         "\n;;\n*)\n" + exporting + "\n;;\nesac";
}

std::string writing(const nlohmann::json& result) {
  return StandInEngine::printing(
             R"({"event":"step","name":"fit","index":0,"count":3}
{"event":"progress","layer":2,"done":3,"total":6,"eta_s":42})") +
         "\n" + StandInEngine::finding(result.dump());
}

struct Shown : OpenedRun {
  explicit Shown(const std::string& answers, const std::string& serves = "*) ;;")
      : OpenedRun(serves), exporter(answers), page(editor, serve, exporter.engine()) {
    page.resize(1172, 470);
    page.show();
  }
  void wait_for_formats() {
    REQUIRE(wait_until([&] { return table().model()->rowCount() > 0; }));
  }
  QTableView& table() { return child<QTableView>(page, "formats"); }
  QPushButton& button() { return child<QPushButton>(page, "write_model"); }
  QCheckBox& fit() { return child<QCheckBox>(page, "fit"); }
  QSpinBox& finish() { return child<QSpinBox>(page, "finish_passes"); }
  QString said(const char* notice) { return child<QLabel>(child<QWidget>(page, notice), "notice").text(); }
  QString why() { return child<QLabel>(page, "format_why").text(); }
  void select(const QString& title) {
    auto* model = table().model();
    for (int row = 0; row < model->rowCount(); ++row)
      if (model->index(row, FormatsModel::format).data().toString() == title) return table().selectRow(row);
    FAIL("there is no " << title.toStdString());
  }
  QVariant cell(const QString& title, int column, int role = Qt::DisplayRole) {
    select(title);
    return table().selectionModel()->selectedRows(column).first().data(role);
  }
  QStringList asked() const {
    const auto file = exporter.folder() / "ladimo.asked";
    if (!std::filesystem::exists(file)) return {};
    return QString::fromStdString(read_file(file)).split('\n', Qt::SkipEmptyParts);
  }
  QString path(const char* name) const { return QString::fromStdString((exporter.folder() / name).string()); }

  StandInEngine exporter;
  FormatExport page;
};

WrittenModel written(const char* format, bool gguf, const char* path, const char* file = "") {
  WrittenModel model;
  model.choice.format = QLatin1String(format);
  model.choice.gguf = gguf;
  model.precision = gguf ? "bf16" : "";
  model.result =
      export_result_from_json(nlohmann::json::parse(testing::example_export(format, path, file).dump()));
  return model;
}

}  // namespace

TEST_CASE("the table says for every format whether and how it can be written, and what that costs") {
  Shown shown(script("exit 9"));
  shown.wait_for_formats();
  CHECK(shown.table().model()->rowCount() == 9);
  CHECK(shown.said("formats_state").startsWith("Current policy: "));
  const struct {
    const char* title;
    const char* cells[FormatsModel::column_count - 1];
  } rows[] = {
      {"LaDiMo Studio, native",
       {"transformers (custom code)", "as is", "current policy", "0.0198", "–", "5.91 MiB"}},
      {"GLM-4-MoE · folder", {"transformers", "with a fit", "k = 24 · 1 dense", "0.0305", "–", "5.82 MiB"}},
      {"Mixtral · GGUF", {"llama.cpp", "with a fit", "k = 24", "0.0412", "–", "3.15 MiB"}},
      {"Qwen2-MoE · GGUF", {"llama.cpp", "no", "–", "–", "–", "–"}}};
  for (const auto& row : rows) {
    CAPTURE(row.title);
    for (int column = 1; column < FormatsModel::column_count; ++column)
      CHECK(shown.cell(row.title, column).toString().toStdString() == row.cells[column - 1]);
  }
  CHECK(shown.cell("Mixtral · folder", FormatsModel::measured_kl, Qt::FontRole).value<QFont>().bold());
  CHECK_FALSE(shown.cell("Mixtral · folder", FormatsModel::predicted_kl, Qt::FontRole).isValid());
  CHECK(shown.cell("Mixtral · folder", FormatsModel::policy, Qt::ToolTipRole).toString().contains("75.5 %"));
  CHECK(shown.cell("Qwen2-MoE · GGUF", 0, Qt::ForegroundRole).isValid());
  shown.table().sortByColumn(FormatsModel::predicted_kl, Qt::AscendingOrder);
  CHECK(shown.table().model()->index(0, 0).data().toString() == "LaDiMo Studio, native");
  CHECK(shown.table().model()->index(8, 0).data().toString() == "Qwen2-MoE · GGUF");
}

TEST_CASE(
    "the engine is asked about the chosen policy, a moment after the last change, while the page is seen") {
  Shown shown(script("exit 9"));
  CHECK(shown.said("formats_state").contains("Checking"));
  CHECK_FALSE(shown.button().isEnabled());
  shown.wait_for_formats();
  REQUIRE(shown.asked().size() == 1);
  CHECK(shown.asked()[0].startsWith("export " + shown.run->folder + " --formats --policy "));
  CHECK(shown.asked()[0].contains(" --gguf bf16 --events"));
  for (const double tradeoff : {0.7, 0.8, 0.9}) shown.editor.set_tradeoff(tradeoff);
  REQUIRE(wait_until([&] { return shown.asked().size() == 2 && shown.button().isEnabled(); }));
  const QString file = shown.asked()[1].section(" --policy ", 1).section(' ', 0, 0);
  CHECK(policy_from_json(read_json(file.toStdString())).layers == shown.editor.policy().layers);

  shown.select("Mixtral · GGUF");
  auto& precision = child<QComboBox>(shown.page, "gguf_precision");
  CHECK(precision.isEnabled());
  precision.setCurrentText("Q8_0");
  REQUIRE(wait_until([&] { return shown.asked().size() == 3 && shown.button().isEnabled(); }));
  CHECK(shown.asked()[2].contains("--gguf q8_0"));
  CHECK(shown.table().selectionModel()->selectedRows().first().data() == "Mixtral · GGUF");  // it stays

  shown.page.hide();
  shown.editor.set_tradeoff(0.2);
  QTest::qWait(400);
  CHECK(shown.asked().size() == 3);
  shown.page.show();
  REQUIRE(wait_until([&] { return shown.asked().size() == 4 && shown.button().isEnabled(); }));
  shown.page.hide();
  shown.page.show();
  QTest::qWait(400);
  CHECK(shown.asked().size() == 4);  // nothing changed
}

TEST_CASE("the selected format explains itself, and a fit is offered where it makes sense") {
  Shown shown(script("exit 9"));
  shown.wait_for_formats();
  CHECK(shown.table().selectionModel()->selectedRows().first().row() == 0);
  CHECK(shown.why().contains("Keeps the current policy exactly"));
  CHECK_FALSE(shown.fit().isEnabled());
  CHECK_FALSE(shown.fit().isChecked());
  CHECK_FALSE(child<QComboBox>(shown.page, "gguf_precision").isEnabled());
  CHECK(shown.button().isEnabled());

  shown.select("Mixtral · folder");
  CHECK(shown.why().contains("it has no thresholds, but layer 0 has one."));
  CHECK(shown.why().contains("runs 75.5 % of the parameters"));
  CHECK(shown.why().contains("A fit makes the routers linear"));
  CHECK_FALSE(shown.fit().isEnabled());  // only a fit can do it
  CHECK(shown.fit().isChecked());

  shown.select("Qwen2-MoE · GGUF");
  CHECK(shown.why() ==
        "Qwen2-MoE in GGUF has no place for a SentencePiece tokenizer. Choose another “Format”.");
  CHECK_FALSE(shown.button().isEnabled());
  CHECK(shown.button().toolTip().contains("SentencePiece"));
  CHECK_FALSE(shown.fit().isChecked());
}

TEST_CASE("where a format can express the policy, a fit is a choice") {
  nlohmann::json formats{{"formats", {testing::example_format("mixtral", "Mixtral", true)}}};
  formats["formats"][0]["k"] = 12;
  Shown shown(script("exit 9", StandInEngine::finding(formats.dump())));
  for (int layer = 0; layer < testing::example_layers; ++layer)
    shown.editor.pin(layer, LayerPolicy::top(layer == 0 ? 24 : 12));
  shown.wait_for_formats();
  CHECK(shown.cell("Mixtral · GGUF", FormatsModel::policy) == "k = 12 to 24");
  CHECK(shown.why().contains("as is"));
  CHECK(shown.fit().isEnabled());
  CHECK_FALSE(shown.fit().isChecked());
  shown.fit().click();
  CHECK(shown.why().contains("A fit makes"));
  shown.page.write("out.gguf");
  REQUIRE(wait_until([&] { return !shown.page.writing(); }));
  CHECK(shown.asked().last().contains("--gguf bf16 --fit"));
  CHECK_FALSE(shown.asked().last().contains("--finish"));

  CHECK(shown.finish().isEnabled());
  shown.finish().setValue(3);
  shown.page.write("out.gguf");
  REQUIRE(wait_until([&] { return !shown.page.writing(); }));
  CHECK(shown.asked().last().contains("--fit --finish 3"));
  shown.fit().click();
  CHECK_FALSE(shown.finish().isEnabled());
  shown.page.write("out.gguf");
  REQUIRE(wait_until([&] { return !shown.page.writing(); }));
  CHECK_FALSE(shown.asked().last().contains("--finish"));
}

TEST_CASE("what the run measured of this very policy counts where it is written as it is") {
  Shown shown(script("exit 9"));
  shown.wait_for_formats();
  RunHistory::of(shown.editor).add(testing::example_measurement(shown.editor.policy(), 0.0213));
  CHECK(shown.cell("LaDiMo Studio, native", FormatsModel::measured_kl) == "0.0213");
  CHECK(shown.cell("LaDiMo Studio, native", FormatsModel::measured_kl, Qt::ToolTipRole)
            .toString()
            .contains("12,240 held-out tokens"));
  CHECK(shown.cell("Mixtral · folder", FormatsModel::measured_kl) == "–");
  shown.editor.set_tradeoff(0.9);
  REQUIRE(wait_until([&] { return shown.button().isEnabled(); }));
  CHECK(shown.cell("LaDiMo Studio, native", FormatsModel::measured_kl) == "–");
}

TEST_CASE("a model is written without a fit, and its lines can be copied") {
  Shown shown(script(writing(testing::example_export("native", "/models/a \"b\""))));
  shown.wait_for_formats();
  CHECK_FALSE(child<QWidget>(shown.page, "loading_lines").isVisible());
  shown.page.write("/models/a \"b\"");
  CHECK(shown.page.writing());
  CHECK(shown.button().text() == "&Cancel");
  REQUIRE(wait_until([&] { return shown.said("write_notice").contains("verified"); }));
  CHECK(shown.asked().last().startsWith("export " + shown.run->folder +
                                        " --format native -o /models/a \"b\" --policy "));
  CHECK_FALSE(shown.asked().last().contains("--gguf"));
  CHECK_FALSE(shown.asked().last().contains("--fit"));
  CHECK(shown.said("write_notice").contains("6.00 MiB · verified: largest logit difference 0.0000200"));
  CHECK_FALSE(child<QWidget>(shown.page, "fit_price").isVisible());
  child<QPushButton>(shown.page, "copy_lines").click();
  const QString lines = QGuiApplication::clipboard()->text();
  CHECK(lines.contains(R"(AutoModelForCausalLM.from_pretrained("/models/a \"b\"", trust_remote_code=True))"));
  shown.select("Mixtral · folder");
  CHECK_FALSE(child<QWidget>(shown.page, "loading_lines").isVisible());
  CHECK(shown.said("write_notice").isEmpty());
  shown.select("LaDiMo Studio, native");
  CHECK(child<QWidget>(shown.page, "loading_lines").isVisible());
  shown.editor.set_tradeoff(0.9);
  REQUIRE(wait_until([&] { return shown.button().isEnabled(); }));
  CHECK(shown.said("write_notice").contains("not with the current policy"));
}

TEST_CASE("a GGUF file is written with a fit: three measured KLs, one of them in the table") {
  Shown shown(script(writing(testing::example_export("mixtral", "/m/x.gguf", "x.gguf", true))));
  shown.wait_for_formats();
  shown.select("Mixtral · GGUF");
  shown.page.write("/m/x.gguf");
  REQUIRE(wait_until([&] { return shown.said("write_notice").contains("verified"); }));
  CHECK(shown.asked().last().contains("--format mixtral -o /m/x.gguf"));
  CHECK(shown.asked().last().contains("--gguf bf16 --fit"));
  const QString price = child<QLabel>(shown.page, "fit_price").text();
  for (const char* part :
       {"12,240 held-out tokens", "<b>0.0204</b>", "<b>0.0931</b>", "<b>0.0287</b>", "75.5 %"})
    CHECK(price.contains(part));
  CHECK(child<QPlainTextEdit>(shown.page, "loading_lines").toPlainText() ==
        "llama-cli -m /m/x.gguf -p \"Once\"\nllama-quantize /m/x.gguf /m/x-Q4_K_M.gguf Q4_K_M");
  CHECK(shown.cell("Mixtral · GGUF", FormatsModel::measured_kl) == "0.0287");
  CHECK(shown.cell("Mixtral · folder", FormatsModel::measured_kl) == "–");
  shown.editor.set_tradeoff(0.9);
  REQUIRE(wait_until([&] { return shown.button().isEnabled(); }));
  CHECK(shown.cell("Mixtral · GGUF", FormatsModel::measured_kl) == "–");
}

TEST_CASE("writing says what it does, can be canceled, and leaves nothing behind") {
  Shown shown(script(StandInEngine::printing(
                         R"({"event":"step","name":"fit","index":0,"count":3}
{"event":"progress","layer":2,"done":3,"total":6,"eta_s":42})") +
                     "\nexec sleep 60"));
  shown.wait_for_formats();
  shown.select("Mixtral · folder");
  shown.page.write("/m/x");
  REQUIRE(wait_until([&] { return shown.said("write_notice").contains("left"); }));
  CHECK(shown.said("write_notice") ==
        "Mixtral · folder: Fit to the format · step 1 of 3 · layer 2 · about 42 s left");
  shown.select("LaDiMo Studio, native");
  CHECK(shown.said("write_notice").startsWith("Mixtral"));  // the job's words stay
  shown.button().click();
  REQUIRE(wait_until([&] { return !shown.page.writing(); }));
  CHECK(shown.said("write_notice") == "Cancelled. Nothing was written.");
  CHECK(shown.button().text() == "E&xport…");
}

TEST_CASE("an export that fails says why") {
  const std::string gone =
      R"(echo '{"event":"error","message":"The original is gone.","hint":"Name it with {dense}.","path":""}'; exit 2)";
  const std::pair<std::string, const char*> rows[] = {
      {StandInEngine::complaining("The disk is full.", "Free some.", 1), "The disk is full. Free some."},
      {gone, "The original is gone."},
      {"kill -KILL $$", "memory"},
      {StandInEngine::finding("{}"), "different versions"}};
  for (const auto& [answer, part] : rows) {
    CAPTURE(part);
    Shown shown(script(answer));
    const QSignalSpy missing(&shown.page, &FormatExport::original_missing);
    shown.wait_for_formats();
    shown.page.write("/m/x");
    REQUIRE(wait_until([&] { return !shown.page.writing(); }));
    CHECK_MESSAGE(shown.said("write_notice").contains(part), shown.said("write_notice").toStdString());
    CHECK(missing.count() == (answer == gone ? 1 : 0));
  }
}

TEST_CASE("an engine that cannot tell the formats is asked again at the press of a button") {
  Shown shown(script("exit 9", "if [ -e \"$0.mended\" ]; then\n" +
                                   StandInEngine::finding(testing::example_formats().dump()) + "\nelse\n" +
                                   StandInEngine::complaining("The run is damaged.", "Mend it.", 2) +
                                   "\nfi"));
  REQUIRE(wait_until([&] { return shown.said("formats_state").contains("The run is damaged. Mend it."); }));
  CHECK_FALSE(shown.button().isEnabled());
  std::ofstream(shown.path("ladimo.mended").toStdString()) << "x";
  for (auto* again : child<QWidget>(shown.page, "formats_state").findChildren<QToolButton*>()) again->click();
  shown.wait_for_formats();
}

namespace {

/// The page of an engine on another machine, which saves policies there after `delay`.
struct Far {
  explicit Far(const std::string& delay = "true")
      : opened("*policy*) " + delay +
               R"sh(; echo '{"event":"result","path":"there/policies/some.json","id":'$id'}' ;;)sh"),
        page(opened.editor, opened.serve, ssh.engine(exporter.program())) {
    page.show();
  }
  QString said() { return child<QLabel>(state(), "notice").text(); }
  QToolButton& offer() { return *state().findChild<QToolButton*>(); }

  testing::StandInSsh ssh;
  StandInEngine exporter{script("exit 9")};
  OpenedRun opened;
  FormatExport page;

 private:
  QWidget& state() { return child<QWidget>(page, "formats_state"); }
};

}  // namespace

TEST_CASE("an engine on another machine is asked about policies that it can see") {
  Far far;
  const auto asked = [&] { return read_file(far.exporter.folder() / "ladimo.asked"); };
  auto& table = child<QTableView>(far.page, "formats");
  REQUIRE(wait_until([&] { return table.model()->rowCount() > 0; }));
  CHECK(asked().find("--policy " + far.opened.run->folder.toStdString() + "/policy.json") !=
        std::string::npos);
  far.opened.editor.set_tradeoff(0.9);
  REQUIRE(wait_until([&] { return far.said().contains("cannot see it"); }));
  CHECK(table.model()->rowCount() == 0);
  far.offer().click();
  REQUIRE(wait_until([&] { return table.model()->rowCount() > 0; }));
  CHECK(asked().find("--formats --policy there/policies/some.json") != std::string::npos);
  CHECK(RunHistory::of(far.opened.editor).policies().begin()->first.startsWith("chosen "));
  far.page.write("there/model");  // does not save it again
  REQUIRE(wait_until([&] { return !far.page.writing(); }));
  CHECK(asked().find("-o there/model --policy there/policies/some.json") != std::string::npos);
}

TEST_CASE("a policy that is saved there is the one that was sent, wherever the slider is meanwhile") {
  Far far("sleep 1");
  far.opened.editor.set_tradeoff(0.9);
  REQUIRE(wait_until([&] { return far.said().contains("cannot see it"); }));
  const Policy sent = far.opened.editor.policy();
  far.offer().click();
  far.opened.editor.set_tradeoff(0.2);
  const auto& saved = RunHistory::of(far.opened.editor).policies();
  REQUIRE(wait_until([&] { return !saved.empty(); }));
  CHECK(ui::same_choice(saved.begin()->second, sent));
  REQUIRE(wait_until([&] { return far.said().contains("cannot see it"); }));  // not the current one
}

TEST_CASE("the lines that load a model fit the format and the place") {
  CHECK(loading_lines(written("mixtral", false, "/m/mix"))
            .contains("AutoModelForCausalLM.from_pretrained(\"/m/mix\")\n"));
  CHECK_FALSE(loading_lines(written("mixtral", false, "/m/mix")).contains("trust_remote_code"));
  CHECK(loading_lines(written("native", false, "/m/mix")).count("trust_remote_code=True") == 2);
  CHECK(loading_lines(written("mixtral", true, "/m/it's.gguf", "it's.gguf"))
            .startsWith(R"(llama-cli -m '/m/it'\''s.gguf' -p "Once")"));
  CHECK(loading_lines(written("mixtral", true, "/m/x.gguf", "x-00001-of-00002.gguf"))
            .startsWith("llama-cli -m /m/x-00001-of-00002.gguf "));
  WrittenModel rounded = written("mixtral", true, "/m/x.gguf", "x.gguf");
  rounded.precision = "q8_0";
  CHECK(loading_lines(rounded).contains("BF16"));
  CHECK_FALSE(loading_lines(rounded).contains("llama-quantize /m"));
}

TEST_CASE("what training after a fit brought is told beside the fit") {
  FitPrice price{12240, {0.0204, 0.801}, {0.0931, 0.755}, {0.0287, 0.755}};
  CHECK(ui::fit_in_words(price).contains("closest policy, fitted (written)"));
  CHECK_FALSE(ui::fit_in_words(price).contains("times as far"));
  price.written = FitState::as_it_is;
  CHECK(ui::fit_in_words(price).contains("4.56 times as far from the original"));
  CHECK(ui::fit_in_words(price).contains("without a fit (written)"));
  CHECK(price.of_written().kl == 0.0931);
  price.wanted.kl = 0;  // all dense: anything is many times that
  CHECK_FALSE(ui::fit_in_words(price).contains("times as far"));
  price.finished = {0.0241, 0.755};
  price.written = FitState::finished;
  CHECK(price.of_written().kl == 0.0241);
  CHECK_FALSE(ui::fit_in_words(price).contains("fitted (written)"));
  CHECK(ui::fit_in_words(price).contains("and trained (written)"));
  CHECK(ui::fit_in_words(price).contains("<b>0.0241</b>"));
}

TEST_CASE("what verifying found is told as what it is") {
  WrittenModel model = written("mixtral", true, "/m/x.gguf", "x.gguf");
  CHECK(result_in_words(model) ==
        "6.00 MiB · verified: rounding changes a logit by at most 0.0000200 · KL against the run: 0 nats per "
        "token");
  model.precision = "f32";
  CHECK(result_in_words(model).contains("largest logit difference 0.0000200"));
  model.result.fit.emplace();
  CHECK(result_in_words(model).contains("largest logit difference 0.0000200 · KL of the fit against"));
  model.precision = "bf16";
  CHECK(result_in_words(model).contains("all tensors match"));
  model.result.files.emplace_back("x-2.gguf");
  CHECK(result_in_words(model).startsWith("2 files, 6.00 MiB"));
}

TEST_CASE("the table of formats passes Qt's model tester, and damaged answers are refused") {
  FormatsModel model;
  const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
  const auto choices = ui::read_export_choices(QByteArray::fromStdString(testing::example_formats().dump()));
  model.set_choices(choices, testing::example_policy());
  model.set_measured({FormatsModel::Measured{0.5, "here"}});
  model.set_theme(ui::theme_of(testing::dark_palette()));
  CHECK(model.index(0, FormatsModel::measured_kl).data() == "0.500");
  CHECK(model.headerData(FormatsModel::size, Qt::Horizontal) == "Size\n(about)");
  model.set_choices({}, {});
  for (const char* damaged : {"", "{}", R"({"formats":[{}]})", R"({"formats":[{"format":"a"}]})"})
    CHECK_THROWS_AS(ui::read_export_choices(damaged), Refusal);
}

TEST_CASE("the page of formats can be drawn in every state") {
  for (const bool dark : {false, true}) {
    QApplication::setPalette(dark ? testing::dark_palette() : testing::light_palette());
    const QString tint = dark ? "dark" : "light";
    Shown shown(script(writing(testing::example_export(
        "mixtral", "/home/me/models/stories-run-mixtral-bf16.gguf", "stories-run-mixtral-bf16.gguf", true))));
    keep_picture(shown.page, "formats-asking-" + tint);
    shown.wait_for_formats();
    RunHistory::of(shown.editor).add(testing::example_measurement(shown.editor.policy(), 0.0213));
    keep_picture(shown.page, "formats-native-" + tint);
    shown.select("Mixtral · GGUF");
    keep_picture(shown.page, "formats-fit-" + tint);
    shown.page.write("/home/me/models/stories-run-mixtral-bf16.gguf");
    REQUIRE(wait_until([&] { return shown.said("write_notice").contains("verified"); }));
    keep_picture(shown.page, "formats-written-" + tint);
    shown.select("Qwen2-MoE · GGUF");
    keep_picture(shown.page, "formats-impossible-" + tint);
  }
  QApplication::setPalette(QPalette());
}

TEST_CASE("an export is proposed beside the run, or where the last one went, under a name that is free") {
  const testing::TemporaryFolder folder;
  const auto path = [&](const char* name) { return QString::fromStdString((folder / name).string()); };
  ui::ExportPlace place(path("run"), {});
  ExportChoice native, gguf;
  native.format = "native";
  gguf.format = "mixtral";
  gguf.gguf = true;
  CHECK(place.proposed(native, {}) == path("run-model"));
  std::filesystem::create_directory(folder / "run-model");
  CHECK(place.proposed(native, {}) == path("run-model-2"));
  CHECK(place.proposed(gguf, "bf16") == path("run-mixtral-bf16.gguf"));
  write_file(folder / "run-mixtral-bf16-00001-of-00002.gguf", "a part");  // it was split
  CHECK(place.proposed(gguf, "bf16") == path("run-mixtral-bf16-2.gguf"));
  place.set_folder("/models");
  CHECK(place.proposed(gguf, "f32") == "/models/run-mixtral-f32.gguf");
}
