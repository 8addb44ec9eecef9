#include "ui/panels/export_panel.h"

#include <doctest/doctest.h>

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QDir>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTableView>

#include "base/files.h"
#include "opened_run.h"
#include "palettes.h"
#include "ui/models/policies_model.h"
#include "ui/models/run_csv.h"
#include "ui/models/run_history.h"
#include "ui/panels/policy_saving.h"
#include "ui/panels/saved_policies.h"
#include "ui/widgets/message_bar.h"

using namespace ladimo;
using ladimo::testing::child;
using ladimo::testing::keep_picture;
using ladimo::testing::OpenedRun;
using ladimo::testing::wait_until;
using ui::ExportPanel;
using ui::RunHistory;

namespace {

const std::string saving =
    R"sh(*rejected*) echo '{"event":"error","message":"The policy is for another model.","hint":"Choose again.","path":"","id":'$id'}' ;;
    *policy*) echo '{"event":"result","path":"somewhere","id":'$id'}' ;;)sh";

struct Shown : OpenedRun {
  explicit Shown(const std::string& answers = saving) : Shown(answers, {}) {}
  Shown(const std::string& answers, const QString& host)
      : OpenedRun(answers),
        saver(editor, serve, {engine.program(), host}, bar),
        panel(run, editor, serve, {engine.program(), host}, saver) {
    panel.resize(1200, 1000);
    panel.show();
  }
  QString notice(const char* card) { return child<QLabel>(child<QWidget>(panel, card), "notice").text(); }
  QPushButton& press(const char* name) { return child<QPushButton>(panel, name); }
  QString path(const char* name) const { return QString::fromStdString((engine.folder() / name).string()); }
  void save_as(const QString& name) {
    child<QLineEdit>(panel, "policy_name").setText(name);
    press("save_policy").click();
    REQUIRE(wait_until([&] { return !serve.busy(); }));
  }
  QTableView& table() { return child<QTableView>(panel, "policies"); }
  void select(const QString& name) {
    for (int row = 0; row < table().model()->rowCount(); ++row)
      if (table().model()->index(row, 0).data().toString() == name) table().selectRow(row);
  }

  ui::MessageBar bar;
  ui::PolicySaving saver;
  ExportPanel panel;
};

QByteArray contents(const QString& path) {
  QFile file(path);
  REQUIRE(file.open(QIODevice::ReadOnly));
  return file.readAll();
}

}  // namespace

TEST_CASE("the policy file can be read by the command line") {
  Shown shown;
  shown.panel.save_policy_file(shown.path("policy.json"));
  CHECK(shown.notice("export_policy").startsWith("Saved as"));
  const Policy read = read_policy(shown.path("policy.json").toStdString(), shown.editor.policy().fingerprint,
                                  testing::example_layers);
  CHECK(read.layers == shown.editor.policy().layers);
  CHECK_FALSE(read.measured);
}

TEST_CASE("a policy that was measured is saved with the measured numbers") {
  Shown shown;
  Measurement found;
  found.policy = shown.editor.policy();
  found.tokens = 512;
  found.numbers.kl = 0.0345;
  RunHistory::of(shown.editor).add(found);
  found.split = EvaluatedText::named;
  found.numbers.kl = 0.5;
  RunHistory::of(shown.editor).add(found);
  shown.panel.save_policy_file(shown.path("policy.json"));
  CHECK(policy_from_json(read_json(shown.path("policy.json").toStdString())).measured->kl == 0.0345);
  shown.save_as("calm");
  CHECK(RunHistory::of(shown.editor).policies().at("calm").measured->kl == 0.0345);
  shown.editor.set_tradeoff(0.9);
  CHECK_FALSE(RunHistory::of(shown.editor).with_measured(shown.editor.policy()).measured);
}

TEST_CASE("tables are saved with all digits") {
  Shown shown;
  shown.panel.save_tables(QString::fromStdString(shown.engine.folder().path().string()));
  CHECK(shown.notice("export_tables").contains("layers.csv, ladder.csv, histogram.csv"));
  const QByteArray layers = contents(shown.path("layers.csv"));
  CHECK(layers.startsWith(
      "layer,kind,k,threshold,mean_experts,kl,activated,loss_before,loss_after,qkv_threshold,"
      "qkv_share,o_threshold,o_share,gate_up_threshold,gate_up_share,neurons_threshold,"
      "neurons_share\n0,dense,"));
  CHECK(layers.count('\n') == testing::example_layers + 1);
  const QByteArray ladder = contents(shown.path("ladder.csv"));
  CHECK(ladder.startsWith("layer,kind,k,threshold,mean_experts,kl,activated\n0,dense,,,,0,"));
  qsizetype candidates = 0;
  for (const LayerTable& layer : shown.run->tradeoff->layers)
    candidates += static_cast<qsizetype>(layer.candidates.size());
  CHECK(ladder.count('\n') == candidates + 1);
  const QByteArray histogram = contents(shown.path("histogram.csv"));
  CHECK(histogram.count('\n') == 1 + testing::example_layers * (histogram_bins + 2));
}

TEST_CASE("the report is a PDF of several pages with its own fonts") {
  Shown shown;
  shown.panel.save_report(shown.path("report.pdf"));
  CHECK(shown.notice("export_report").startsWith("Saved as"));
  const QByteArray pdf = contents(shown.path("report.pdf"));
  CHECK(pdf.startsWith("%PDF-"));
  CHECK(pdf.contains("/FontFile2"));
  const int count = pdf.mid(pdf.indexOf("/Count ") + 7, 3).simplified().split(' ').first().toInt();
  CHECK(count >= 3);
  if (const QString folder = qEnvironmentVariable("LADIMO_PICTURES"); !folder.isEmpty())
    QFile::copy(shown.path("report.pdf"), folder + "/report.pdf");
}

TEST_CASE("a place that cannot be written to gives a message on the card, and no files are left there") {
  Shown shown;
  const QString nowhere = shown.path("no-such-folder");
  shown.panel.save_policy_file(nowhere + "/policy.json");
  shown.panel.save_tables(nowhere);
  shown.panel.save_report(nowhere + "/report.pdf");
  for (const char* card : {"export_policy", "export_tables", "export_report"}) {
    CAPTURE(card);
    CHECK(shown.notice(card).contains("could not be saved"));
    CHECK(shown.notice(card).contains("Choose a writable folder"));
  }
  CHECK_FALSE(QDir(nowhere).exists());
}

TEST_CASE("a model is written by the engine, and the result of the check is shown") {
  const struct {
    std::string script;
    const char* expected;
  } rows[] = {
      {R"sh([ "$1" = export ] || exit 9
echo '{"event":"step","name":"weights","index":0,"count":2}'
echo '{"event":"result","format":"native","path":"x","files":["a"],"bytes":6291456,"tokens":512,"max_logit_error":0.00002,"kl_against_run":0}')sh",
       "6.00 MiB · verified: largest logit difference 0.0000200"},
      {R"(echo '{"event":"error","message":"The folder is not empty.","hint":"Choose another.","path":""}'; exit 2)",
       "The folder is not empty. Choose another."},
      {"kill -KILL $$", "memory"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.expected);
    const testing::StandInEngine exporter(row.script);
    OpenedRun opened(saving);
    ui::MessageBar bar;
    ui::PolicySaving saver(opened.editor, opened.serve, exporter.engine(), bar);
    ExportPanel panel(opened.run, opened.editor, opened.serve, exporter.engine(), saver);
    panel.show();
    panel.write_model(QString::fromStdString((exporter.folder() / "model").string()));
    auto& notice = child<QLabel>(child<QWidget>(panel, "write_notice"), "notice");
    CHECK(wait_until([&] { return notice.text().contains(row.expected); }));
  }
}

TEST_CASE("a policy is saved under a name, compared, loaded, deleted and restored") {
  Shown shown;
  CHECK_FALSE(shown.press("save_policy").isEnabled());
  const auto calm = shown.editor.policy().layers;
  shown.save_as("calm");
  CHECK(RunHistory::of(shown.editor).policies().contains("calm"));
  CHECK(shown.notice("saved_policies") == "Saved as “calm”.");

  shown.editor.set_tradeoff(0.95);
  shown.editor.commit();
  CHECK(shown.editor.policy().layers != calm);
  shown.select("calm");
  auto& compared = child<QTableView>(shown.panel, "policy_layers");
  CHECK(compared.model()->columnCount() == 3);  // layer, chosen, calm
  CHECK(compared.model()->rowCount() == testing::example_layers);
  shown.press("load_policy").click();
  CHECK(shown.editor.policy().layers == calm);

  const auto file = shown.engine.folder() / "stories-run/policies/calm.json";
  const std::string mine = read_file(file);
  Policy theirs = testing::example_policy();
  theirs.tradeoff = 0.123;
  write_json(file, to_json(theirs));
  shown.select("calm");
  shown.press("delete_policy").click();
  CHECK(shown.notice("saved_policies").contains("Another program changed"));
  CHECK(std::filesystem::exists(file));
  write_file(file, mine);
  shown.press("delete_policy").click();
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK_FALSE(RunHistory::of(shown.editor).policies().contains("calm"));
  CHECK(shown.notice("saved_policies").contains("deleted"));
  for (auto* button : child<QWidget>(shown.panel, "saved_policies").findChildren<QAbstractButton*>())
    if (button->text() == "Undo") button->click();
  REQUIRE(wait_until([&] { return RunHistory::of(shown.editor).policies().contains("calm"); }));
}

TEST_CASE("policies of a local run are saved without the engine, and the choice then counts as saved") {
  Shown shown("*) exit 1 ;;");
  CHECK(RunHistory::of(shown.editor).keeps_chosen());
  shown.editor.set_tradeoff(0.9);
  CHECK_FALSE(RunHistory::of(shown.editor).keeps_chosen());
  shown.save_as("calm");
  CHECK(RunHistory::of(shown.editor).keeps_chosen());
  CHECK_FALSE(shown.serve.busy());
  const auto file = shown.engine.folder() / "stories-run" / "policies" / "calm.json";
  CHECK(policy_from_json(read_json(file)).layers == shown.editor.policy().layers);
  shown.editor.set_tradeoff(0.2);
  shown.press("save_as_run_policy").click();
  CHECK(shown.notice("saved_policies") == "Saved as the run's policy.");
  CHECK(RunHistory::of(shown.editor).keeps_chosen());
  std::filesystem::remove_all(file.parent_path());
  std::ofstream(file.parent_path()) << "in the way";
  shown.save_as("cheap");
  CHECK_FALSE(RunHistory::of(shown.editor).policies().contains("cheap"));
  CHECK(shown.bar.accessibleName().startsWith("The policy was not saved."));
}

TEST_CASE("saving under an existing name says that it replaces a policy, which can be restored") {
  Shown shown;
  shown.save_as("calm");
  const auto calm = shown.editor.policy().layers;
  shown.editor.set_tradeoff(0.9);
  child<QLineEdit>(shown.panel, "policy_name").setText("calm");
  CHECK(shown.press("save_policy").text().contains("Replace"));
  shown.press("save_policy").click();
  CHECK(shown.notice("saved_policies").contains("had this name was replaced"));
  CHECK(RunHistory::of(shown.editor).policies().at("calm").layers != calm);
  CHECK(shown.press("save_policy").text().contains("Save"));
  for (auto* button : child<QWidget>(shown.panel, "saved_policies").findChildren<QAbstractButton*>())
    if (button->text() == "Undo") button->click();
  CHECK(RunHistory::of(shown.editor).policies().at("calm").layers == calm);
}

TEST_CASE("for a remote engine the policy is saved under a new name, which the export reads") {
  const testing::StandInSsh ssh;
  const testing::StandInEngine exporter(R"sh([ "$1" = export ] || exit 9
echo "$*" > "$0.asked"
echo '{"event":"result","format":"native","path":"x","files":[],"bytes":1,"tokens":512,"max_logit_error":0,"kl_against_run":0}')sh");
  OpenedRun opened(R"sh(*policy*) echo "$line" > "$0.saved"
      echo '{"event":"result","path":"there/policies/some.json","id":'$id'}' ;;)sh");
  const ui::Engine remote = ssh.engine(exporter.program());
  ui::MessageBar bar;
  ui::PolicySaving saver(opened.editor, opened.serve, remote, bar);
  ExportPanel panel(opened.run, opened.editor, opened.serve, remote, saver);
  opened.serve.set_original("there/model");
  panel.write_model("there/exported");
  REQUIRE(wait_until([&] { return std::filesystem::exists(exporter.folder() / "ladimo.asked"); }));
  CHECK(read_file(exporter.folder() / "ladimo.asked")
            .find("-o there/exported --dense there/model --policy there/policies/some.json") !=
        std::string::npos);
  CHECK(read_file(opened.engine.folder() / "ladimo.saved").find("\"name\":\"exported ") != std::string::npos);
  REQUIRE(wait_until([&] { return !panel.writing(); }));
}

TEST_CASE("a policy that the engine refuses is not listed") {
  Shown shown(saving, "far");
  shown.save_as("rejected");
  CHECK(shown.bar.accessibleName() == "The policy was not saved. The policy is for another model.");
  CHECK(RunHistory::of(shown.editor).policies().empty());
}

TEST_CASE("names that cannot be file names are refused before the engine is asked") {
  const struct {
    const char* name;
    const char* part;
  } rows[] = {{"", "Enter a name"}, {"a/b", "slash"}, {".hidden", "dot"}};
  for (const auto& row : rows) CHECK(ui::SavedPolicies::why_not(row.name).contains(row.part));
  CHECK(ui::SavedPolicies::why_not(QString(65, 'a')).contains("64"));
  CHECK(ui::SavedPolicies::why_not("calm 2").isEmpty());
}

TEST_CASE("the tables of policies pass Qt's model tester") {
  ui::PoliciesModel policies(20);
  ui::PolicyLayersModel layers;
  const QAbstractItemModelTester tester(&policies, QAbstractItemModelTester::FailureReportingMode::Fatal);
  const QAbstractItemModelTester layers_tester(&layers,
                                               QAbstractItemModelTester::FailureReportingMode::Fatal);
  Policy one = testing::example_policy();
  one.layers[2] = LayerPolicy::top(12);
  one.layers[3] = LayerPolicy::above(0.031, 27.4);
  one.predicted.kl = 0.0198;
  one.predicted.perplexity = 21;
  one.predicted.decode_ms.reset();
  Policy other = one;
  other.layers[3] = LayerPolicy::dense();
  policies.set_policies({{"one", one}, {"other", other}});
  layers.set_policies({{"one", one}, {"other", other}});
  CHECK(policies.index(0, ui::PoliciesModel::kl).data() == "0.0198");
  CHECK(policies.index(0, ui::PoliciesModel::perplexity).data() == "5.00");
  CHECK(policies.index(0, ui::PoliciesModel::decode_ms).data() == "–");
  CHECK(layers.index(2, 1).data() == "top 12");
  CHECK(layers.index(3, 1).data() == "threshold 0.0310 · 27.4 experts on");
  CHECK(layers.index(3, 2).data(Qt::FontRole).value<QFont>().bold());
  CHECK_FALSE(layers.index(2, 2).data(Qt::FontRole).isValid());
  CHECK(layers.headerData(2, Qt::Horizontal) == "other");
  policies.set_policies({});
  layers.set_policies({});
  CHECK(layers.columnCount() == 0);
}

TEST_CASE("the export panel can be drawn") {
  for (const bool dark : {false, true}) {
    QApplication::setPalette(dark ? testing::dark_palette() : testing::light_palette());
    const QString tint = dark ? "dark" : "light";
    Shown shown;
    keep_picture(shown.panel, "export-empty-" + tint);
    shown.save_as("calm");
    shown.editor.set_tradeoff(0.9);
    shown.save_as("cheap");
    shown.select("calm");
    shown.panel.save_policy_file(shown.path("policy.json"));
    shown.panel.save_report(shown.path("no-such-folder/report.pdf"));
    REQUIRE(wait_until([&] { return shown.press("write_model").isEnabled(); }));
    keep_picture(shown.panel, "export-full-" + tint);
  }
  QApplication::setPalette(QPalette());
}
