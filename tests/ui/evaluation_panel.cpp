#include "ui/panels/evaluation_panel.h"

#include <doctest/doctest.h>

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QComboBox>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QRadioButton>
#include <QSpinBox>
#include <QTabWidget>
#include <QTableView>
#include <QUrl>

#include "opened_run.h"
#include "palettes.h"
#include "ui/models/measurements_model.h"
#include "ui/models/run_history.h"
#include "ui/models/task_scores_model.h"
#include "ui/models/text_scores_model.h"
#include "ui/panels/evaluation_request.h"
#include "ui/panels/notice.h"
#include "ui/plots/kl_percentiles_plot.h"
#include "ui/plots/measured_plot.h"

using namespace ladimo;
using ladimo::testing::child;
using ladimo::testing::keep_picture;
using ladimo::testing::OpenedRun;
using ladimo::testing::wait_until;
using ui::EvaluationPanel;
using ui::MeasurementsModel;
using ui::RunHistory;

namespace {

TextEvaluation::Domain domain(const char* text, double kl, const KlPercentiles& percentiles) {
  TextScores scores;
  scores.tokens = 4096;
  scores.perplexity = 21.6;
  scores.dense_perplexity = 21.1;
  scores.kl = kl;
  scores.kl_percentiles = percentiles;
  scores.same_top = 0.912;
  return {text, scores};
}

const std::string domains = testing::members(
    to_json(testing::example_evaluation({domain("a/stories-dev.txt", 0.0213, {0.0042, 0.093, 0.24, 1.93}),
                                         domain("a/books-dev.txt", 0.0311, {0.0062, 0.133, 0.34, 2.4})})));

Measurement kept() {
  Measurement measurement = testing::example_measurement(testing::example_policy(), 0.0213);
  measurement.numbers.perplexity = 21.6;
  measurement.numbers.activated_fraction = 0.812;
  measurement.same_top = 0.912;
  measurement.kl_percentiles[0] = 0.0042;
  return measurement;
}

const std::vector<TaskResult> four_tasks = {
    testing::example_task("arc_easy", 21, 17), testing::example_task("arc_challenge", 8, 12),
    testing::example_task("openbook_qa", 12, 12), testing::example_task("piqa", 40, 12)};

Measurement kept_tasks() {
  Measurement measurement;
  measurement.date = "2026-11-23T12:30:00Z";
  measurement.machine = "Example processor";
  measurement.policy = testing::example_policy();
  measurement.tasks = four_tasks;
  return measurement;
}

Measurement kept_both() {
  Measurement measurement = kept();
  measurement.tasks = four_tasks;
  return measurement;
}

const std::string tasks_alone = testing::members(to_json(Evaluation{{}, four_tasks}));

const std::string answering =
    R"sh(*cancel*) echo '{"event":"error","message":"Canceled.","hint":"","path":"","canceled":true,"id":'$id'}' ;;
    *eval*slow*) echo '{"event":"step","name":"dense and converted","index":0,"count":1,"id":'$id'}'
      echo '{"event":"progress","layer":3,"done":50,"total":100,"eta_s":12,"id":'$id'}' ;;
    *eval*bad.jsonl*) echo '{"event":"error","message":"Line 1 is bad.","hint":"Mend it.","path":"","id":'$id'}' ;;
    *tasks_only*) )sh" +
    testing::keeping(kept_tasks()) + R"sh(      echo '{"event":"result",)sh" + tasks_alone +
    R"sh(,"id":'$id'}' ;;
    *tasks*) )sh" +
    testing::keeping(kept_both()) + R"sh(      echo '{"event":"result",)sh" + tasks_alone +
    R"sh(,"id":'$id'}' ;;
    *eval*) )sh" +
    testing::keeping(kept()) + R"sh(      echo '{"event":"result",)sh" + domains + R"sh(,"id":'$id'}' ;;)sh";
const std::string refusing =
    R"sh(*eval*) echo '{"event":"error","message":"The text is too short.","hint":"Give more.","path":"","id":'$id'}' ;;)sh";

struct Shown : OpenedRun {
  explicit Shown(const std::string& answers = answering)
      : OpenedRun(answers), panel(run, editor, serve, engine.engine()) {
    panel.resize(1250, 760);
    panel.show();
  }
  QPushButton& button() { return child<QPushButton>(panel, "measure"); }
  bool idle() { return button().text().contains("Measure"); }
  QString notice() { return child<QLabel>(panel, "notice").text(); }
  void measure() {
    button().click();
    REQUIRE(wait_until([&] { return idle(); }));
  }
  QString words() {
    QStringList seen;
    for (const auto* label : panel.findChildren<QLabel*>())
      if (label->isVisible()) seen << label->text();
    return seen.join('\n');
  }

  EvaluationPanel panel;
};

int tab(const Shown& shown) { return child<QTabWidget>(shown.panel, "results").currentIndex(); }

QString make_text(const testing::TemporaryFolder& folder, const char* name) {
  std::ofstream(folder / name) << "text";
  return QString::fromStdString((folder / name).string());
}

}  // namespace

TEST_CASE("a measurement is shown in bold beside its prediction, and kept in the history") {
  Shown shown;
  CHECK(shown.words().contains("has not been measured yet"));
  CHECK(child<ui::MeasuredPlot>(shown.panel, "measured_plot").empty());
  shown.measure();
  CHECK(shown.words().contains("<b>0.0213</b>"));
  CHECK(shown.words().contains("predicted"));
  CHECK(shown.words().contains("21.1 → <b>21.6</b>"));
  CHECK(shown.words().contains("median <b>0.00420</b>"));
  CHECK(shown.words().contains("<b>91.2 %</b>"));
  CHECK(shown.words().contains("<b>81.2 %</b>"));
  CHECK(child<QTableView>(shown.panel, "history").model()->rowCount() == 1);
  CHECK(child<QTableView>(shown.panel, "texts").model()->rowCount() == 2);
  REQUIRE(RunHistory::of(shown.editor).measurements().size() == 1);
  CHECK(RunHistory::of(shown.editor).measurements()[0].machine == "Example processor");
  const QString csv = child<ui::MeasuredPlot>(shown.panel, "measured_plot").csv();
  CHECK(csv.count('\n') == 2);
  CHECK(csv.contains(",0.812,0.0213"));
  CHECK(child<ui::KlPercentilesPlot>(shown.panel, "kl_percentiles").csv().count('\n') == 4);
  shown.measure();
  CHECK(child<QTableView>(shown.panel, "history").model()->rowCount() == 2);
}

TEST_CASE("tasks are answered without a text: a sentence and two rows for each, kept in the history") {
  Shown shown;
  auto& sentences = child<QLabel>(shown.panel, "task_sentences");
  CHECK(sentences.text().contains("appears here"));
  child<QRadioButton>(shown.panel, "no_text").setChecked(true);
  CHECK(shown.notice().contains("Choose task files"));
  CHECK_FALSE(shown.button().isEnabled());
  child<QLineEdit>(shown.panel, "tasks").setText(make_text(shown.engine.folder(), "piqa.jsonl"));
  CHECK(shown.notice().isEmpty());
  shown.measure();
  CHECK(shown.notice().isEmpty());
  CHECK(tab(shown) == 1);
  CHECK(child<QTabWidget>(shown.panel, "results").tabText(1) == "Tasks (4)");
  const QStringList lines = sentences.text().split('\n');
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == "arc_easy: 65.0 % → 64.0 %, −1.0 ± 1.5 points; no significant difference (p = 0.63)");
  CHECK(lines[3] == "piqa: 65.0 % → 58.0 %, −7.0 ± 1.8 points; the converted model is worse (p < 0.001)");
  const auto& scores = *child<QTableView>(shown.panel, "task_scores").model();
  REQUIRE(scores.rowCount() == 8);
  CHECK(scores.index(1, ui::TaskScoresModel::chosen).data() == "probability per character");
  CHECK(scores.index(0, ui::TaskScoresModel::dense).data() == "65.0 ± 2.4");
  const auto& history = *child<QTableView>(shown.panel, "history").model();
  REQUIRE(history.rowCount() == 1);
  CHECK(history.index(0, MeasurementsModel::text).data() == "no text");
  CHECK(history.index(0, MeasurementsModel::tasks).data() ==
        "arc_easy −1.0 · arc_challenge +1.0 · openbook_qa 0.0 · piqa −7.0");
  CHECK(history.index(0, MeasurementsModel::kl).data().toString().isEmpty());
  CHECK(RunHistory::of(shown.editor).newest(shown.editor.policy()) == nullptr);
  CHECK(child<ui::MeasuredPlot>(shown.panel, "measured_plot").empty());
}

TEST_CASE("tasks beside a text: the history leads back to the results of either") {
  Shown shown;
  auto& tasks = child<QLineEdit>(shown.panel, "tasks");
  tasks.setText(make_text(shown.engine.folder(), "piqa.jsonl"));
  shown.measure();
  CHECK(tab(shown) == 1);
  CHECK(shown.words().contains("piqa: 65.0 %"));
  CHECK(RunHistory::of(shown.editor).newest(shown.editor.policy()) != nullptr);
  tasks.clear();
  shown.measure();
  CHECK(tab(shown) == 0);
  CHECK(shown.words().contains("<b>0.0213</b>"));
  auto& history = child<QTableView>(shown.panel, "history");
  for (int row = 0; row < 2; ++row)
    if (!history.model()->index(row, MeasurementsModel::tasks).data().toString().isEmpty())
      history.selectRow(row);
  CHECK(child<QTabWidget>(shown.panel, "results").tabText(1) == "Tasks (4)");
}

TEST_CASE("a bad task file is refused with what is wrong and what to do") {
  Shown shown;
  child<QLineEdit>(shown.panel, "tasks").setText("/nonexistent/piqa.jsonl");
  CHECK(shown.notice() == "/nonexistent/piqa.jsonl does not exist.");
  child<QLineEdit>(shown.panel, "tasks").setText(make_text(shown.engine.folder(), "bad.jsonl"));
  shown.measure();
  CHECK(shown.notice() == "Line 1 is bad. Mend it.");
  CHECK(RunHistory::of(shown.editor).measurements().empty());
}

TEST_CASE(
    "progress says what is done, how far it is and how long it takes; a canceled measurement is not kept") {
  Shown shown;
  const QString file = make_text(shown.engine.folder(), "slow.txt");
  child<QLineEdit>(shown.panel, "files").setText(file);
  child<QRadioButton>(shown.panel, "own_text").setChecked(true);
  shown.button().click();
  CHECK(shown.notice().contains("loading the model"));
  REQUIRE(wait_until([&] { return shown.notice().contains("left"); }));
  CHECK(shown.notice() == "dense and converted · layer 3 · about 12 s left");
  shown.button().click();
  REQUIRE(wait_until([&] { return shown.idle(); }));
  CHECK(shown.notice().contains("Cancelled"));
  CHECK(RunHistory::of(shown.editor).measurements().empty());
}

TEST_CASE("the panel says why nothing can be measured for as long as that is so") {
  Shown shown;
  child<QRadioButton>(shown.panel, "own_text").setChecked(true);
  CHECK(shown.notice() == "Choose the text files to measure on.");
  child<QRadioButton>(shown.panel, "held_out").setChecked(true);
  CHECK(shown.notice().isEmpty());
}

TEST_CASE("warnings of the engine appear beside the button") {
  Shown warned(
      R"sh(*eval*) echo '{"event":"warning","message":"The measurement is not kept.","hint":"Make room.","id":'$id'}'
      )sh" +
      testing::keeping(kept()) + R"sh(      echo '{"event":"result",)sh" + domains +
      R"sh(,"id":'$id'}' ;;)sh");
  warned.measure();
  CHECK(warned.notice() == "The measurement is not kept. Make room.");
  CHECK(RunHistory::of(warned.editor).measurements().size() == 1);
}

TEST_CASE("errors appear beside the button") {
  Shown refused(refusing);
  refused.measure();
  CHECK(refused.notice() == "The text is too short. Give more.");
  Shown strange(R"sh(*eval*) echo '{"event":"result","tokens":1,"id":'$id'}' ;;)sh");
  strange.measure();
  CHECK(strange.notice().contains("measurement"));
  CHECK(RunHistory::of(strange.editor).measurements().empty());
}

TEST_CASE("the form knows why nothing can be measured") {
  OpenedRun opened("");
  ui::EvaluationRequestForm form(opened.editor, opened.engine.engine());
  CHECK(form.why_not().isEmpty());
  CHECK(form.request().text.isEmpty());
  CHECK(form.request().policy->layers == opened.editor.policy().layers);
  child<QRadioButton>(form, "own_text").setChecked(true);
  CHECK(form.why_not() == "Choose the text files to measure on.");
  child<QLineEdit>(form, "files").setText("/nonexistent/a.txt");
  CHECK(form.why_not().contains("/nonexistent/a.txt"));
  ui::EvaluationRequestForm far(opened.editor, {"ladimo", "far"});
  child<QRadioButton>(far, "own_text").setChecked(true);
  child<QLineEdit>(far, "files").setText("there/a.txt; there/b.txt");
  CHECK(far.why_not().isEmpty());
  CHECK(far.request().text == QStringList{"there/a.txt", "there/b.txt"});
  child<QSpinBox>(form, "tokens").setValue(5000);
  CHECK(form.request().tokens == 5000);
}

TEST_CASE(
    "files dropped onto the form become the text to measure on, or tasks where they are dropped onto these") {
  OpenedRun opened("");
  ui::EvaluationRequestForm form(opened.editor, opened.engine.engine());
  form.show();
  QMimeData data;
  data.setUrls({QUrl::fromLocalFile(make_text(opened.engine.folder(), "a.txt")),
                QUrl::fromLocalFile(make_text(opened.engine.folder(), "b.txt"))});
  const auto drop = [&](const QPoint& place) {
    QDragEnterEvent enter(place, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&form, &enter);
    CHECK(enter.isAccepted());
    QDropEvent dropped(place, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&form, &dropped);
  };
  drop({5, 5});
  CHECK(form.request().text.size() == 2);
  CHECK(form.request().tasks.isEmpty());
  CHECK(form.why_not().isEmpty());
  const auto& tasks = child<QLineEdit>(form, "tasks");
  drop(tasks.mapTo(&form, tasks.rect().center()));
  CHECK(form.request().tasks.size() == 2);
}

TEST_CASE("the policy to measure: the chosen one, dense, or a saved one") {
  OpenedRun opened("");
  ui::EvaluationRequestForm form(opened.editor, opened.engine.engine());
  Policy saved = testing::example_policy();
  saved.layers[1] = LayerPolicy::dense();
  RunHistory::of(opened.editor).set_policy("calm", saved);
  auto& choice = child<QComboBox>(form, "policy");
  REQUIRE(choice.count() == 3);
  choice.setCurrentIndex(1);
  const auto dense = form.request();
  for (const LayerPolicy& layer : dense.policy->layers) CHECK(layer == LayerPolicy::dense());
  CHECK(form.request().policy->predicted.kl == doctest::Approx(0));
  choice.setCurrentIndex(2);
  CHECK(form.request().policy->layers == saved.layers);
  RunHistory::of(opened.editor).remove_policy("calm");
  CHECK(choice.currentIndex() == 0);
}

TEST_CASE("the history sorts by number and passes Qt's model tester") {
  MeasurementsModel model;
  const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
  Measurement old;
  old.date = "2026-11-20T10:00:00Z";
  old.machine = "far";
  old.text = {"x/stories.txt", "x/books.txt"};
  old.tokens = 24576;
  old.policy.layers = {LayerPolicy::dense(), LayerPolicy::above(0.1, 3), LayerPolicy::top(4)};
  old.numbers.kl = 0.0000123;
  Measurement fresh = old;
  fresh.text.clear();
  fresh.numbers.kl = 0.5;
  model.set_measurements({old, fresh});
  const auto text = [&](int row, int column) { return model.index(row, column).data().toString(); };
  CHECK(text(0, MeasurementsModel::text) == "held-out text");
  CHECK(text(1, MeasurementsModel::text) == "stories.txt, books.txt");
  CHECK(text(1, MeasurementsModel::kl) == "0.0000123");
  CHECK(text(1, MeasurementsModel::tokens) == "24,576");
  CHECK(text(1, MeasurementsModel::policy) == "1 dense · 1 threshold · 1 top-k");
  CHECK(model.index(0, MeasurementsModel::kl).data(MeasurementsModel::sort_role).toDouble() == 0.5);
  model.set_measurements({});
  ui::TextScoresModel texts;
  const QAbstractItemModelTester texts_tester(&texts, QAbstractItemModelTester::FailureReportingMode::Fatal);
  texts.set_scores({ui::scores_of(old)});
  CHECK(texts.rowCount() == 1);
}

TEST_CASE("every state of the evaluation panel can be drawn") {
  for (const bool dark : {false, true}) {
    QApplication::setPalette(dark ? testing::dark_palette() : testing::light_palette());
    const QString tint = dark ? "dark" : "light";
    Shown shown, failed(refusing), loading("");
    keep_picture(shown.panel, "evaluation-empty-" + tint);
    loading.button().click();
    keep_picture(loading.panel, "evaluation-loading-" + tint);
    failed.measure();
    keep_picture(failed.panel, "evaluation-failed-" + tint);
    shown.measure();
    shown.editor.set_tradeoff(0.8);
    shown.measure();
    keep_picture(shown.panel, "evaluation-done-" + tint);
    child<QLineEdit>(shown.panel, "tasks").setText(make_text(shown.engine.folder(), "piqa.jsonl"));
    shown.measure();
    keep_picture(shown.panel, "evaluation-tasks-" + tint);
    Shown questions;
    child<QTabWidget>(questions.panel, "results").setCurrentIndex(1);
    keep_picture(questions.panel, "evaluation-tasks-empty-" + tint);
  }
  QApplication::setPalette(QPalette());
}
