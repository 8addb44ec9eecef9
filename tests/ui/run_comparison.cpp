// Two runs side by side.
#include "ui/models/run_comparison.h"

#include <doctest/doctest.h>

#include <algorithm>

#include <QAbstractItemModel>
#include <QCheckBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QPointer>
#include <QPushButton>
#include <QTableView>

#include "opened_run.h"
#include "ui/mainwindow/run_comparison_window.h"
#include "ui/plots/frontiers_plot.h"

using namespace ladimo;
using namespace ladimo::testing;
using ui::RunComparison;

namespace {

/// The example, made with other settings and twice as accurate.
nlohmann::json other_show() {
  nlohmann::json show = example_show();
  show["recipe"]["tokens"] = 200000;
  show["recipe"]["stage1"]["compensation"] = false;
  for (auto& layer : show["tradeoff"]["layers"])
    for (auto& candidate : layer["candidates"]) candidate["kl"] = 0.5 * candidate["kl"].get<double>();
  return show;
}

std::shared_ptr<const ui::RunData> run_at(const nlohmann::json& show, const QString& folder) {
  return std::make_shared<ui::RunData>(ui::read_run(QByteArray::fromStdString(show.dump()), folder));
}

/// The row of the fact of this name; -1 where there is none.
int row_of(const QAbstractItemModel& model, const QString& name) {
  for (int row = 0; row < model.rowCount(); ++row)
    if (model.index(row, RunComparison::name).data().toString() == name) return row;
  return -1;
}

QString value(const QAbstractItemModel& model, const QString& name, int column) {
  REQUIRE(row_of(model, name) >= 0);
  return model.index(row_of(model, name), column).data().toString();
}

/// A window that compares the example with what the engine's `show` prints.
struct Comparison {
  explicit Comparison(const std::string& script) : engine(script) {
    window->resize(1200, 800);
    window->show();
  }
  bool shown() const {
    return wait_until([this] { return window->findChild<QTableView*>("compared_facts") != nullptr; });
  }

  StandInEngine engine;
  // It deletes itself when it is closed.
  QPointer<ui::RunComparisonWindow> window{new ui::RunComparisonWindow(run_at(example_show(), "/runs/first"),
                                                                       0.8, engine.engine(), "/runs/second")};
  ~Comparison() { delete window; }
};

}  // namespace

TEST_CASE("two runs are compared fact by fact, and what differs is marked") {
  const auto first = run_at(example_show(), "/runs/first"), second = run_at(other_show(), "/runs/second");
  const RunComparison model(ui::ComparedRun{first}, ui::ComparedRun{second});
  CHECK(model.headerData(RunComparison::first, Qt::Horizontal).toString() == "first");
  CHECK(model.headerData(RunComparison::second, Qt::Horizontal).toString() == "second");
  CHECK(value(model, "Calibration tokens", RunComparison::first) == "99,840");
  CHECK(value(model, "Calibration tokens", RunComparison::second) == "200,000");
  CHECK(value(model, "Skipped experts compensated", RunComparison::second) == "no");
  const auto kl = [&](int column) {
    return value(model, "KL at 80.0 % of the parameters", column).toDouble();
  };
  CHECK(kl(RunComparison::first) > 0);
  CHECK(kl(RunComparison::second) == doctest::Approx(0.5 * kl(RunComparison::first)).epsilon(0.02));
  CHECK(value(model, "Perplexity at 60.0 %", RunComparison::first).startsWith("+"));
  for (int row = 0; row < model.rowCount(); ++row) {
    const QModelIndex at = model.index(row, RunComparison::second);
    const bool differs = at.data() != at.siblingAtColumn(RunComparison::first).data();
    CHECK(at.data(RunComparison::differs_role).toBool() == differs);
    CHECK(at.data(Qt::FontRole).isValid() == differs);
  }
  REQUIRE(row_of(model, "Seed") >= 0);
  CHECK_FALSE(model.index(row_of(model, "Seed"), 1).data(RunComparison::differs_role).toBool());
}

TEST_CASE("facts that only one of two runs has are listed once, beside a dash") {
  nlohmann::json bare = example_show();
  bare["recipe"]["layers"] = nlohmann::json::array();
  bare["layers"] = nlohmann::json::array();
  bare["profile"] = nullptr;
  const auto first = run_at(bare, "/runs/bare"), second = run_at(example_show(), "/runs/second");
  const RunComparison model(ui::ComparedRun{first}, ui::ComparedRun{second});
  CHECK(value(model, "Routed", RunComparison::first) == "–");
  CHECK(value(model, "Routed", RunComparison::second) == "48");
  QStringList names;
  for (int row = 0; row < model.rowCount(); ++row) names << model.index(row, 0).data().toString();
  CHECK(names.removeDuplicates() == 0);
  // In the order of a page, not at the end.
  CHECK(row_of(model, "Routed") < row_of(model, "KL at 90.0 % of the parameters"));
}

TEST_CASE("a person is told why the numbers of two runs cannot be compared") {
  const auto first = run_at(example_show(), "/runs/first");
  CHECK(ui::cautions(*first, *run_at(other_show(), "/runs/second")).isEmpty());
  nlohmann::json text = example_show();
  text["recipe"]["text_fingerprints"] = {"a", "c"};
  CHECK(ui::cautions(*first, *run_at(text, "/runs/second")).join("").contains("different text"));
  nlohmann::json seed = example_show();
  seed["recipe"]["seed"] = 7;
  CHECK(ui::cautions(*first, *run_at(seed, "/runs/second")).join("").contains("different text"));
  nlohmann::json model = example_show();
  const std::string fingerprint(32, '9');
  model["recipe"]["model_fingerprint"] = fingerprint;
  CHECK(ui::cautions(*first, *run_at(model, "/runs/second")).join("").contains("different models"));
}

TEST_CASE("runs in folders of one name are told apart by their paths") {
  const auto first = run_at(example_show(), "/a/run"), second = run_at(example_show(), "/b/run");
  CHECK(ui::names_of(*first, *second)[0] == "/a/run");
  CHECK(ui::names_of(*first, *second)[1] == "/b/run");
}

TEST_CASE("the window shows both runs, their frontiers and their layers at one cost") {
  Comparison comparison(StandInEngine::finding(other_show().dump()));
  REQUIRE(comparison.shown());
  QWidget& window = *comparison.window;
  keep_picture(window, "run-comparison");
  CHECK(window.windowTitle() == "first and second");
  auto& facts = *child<QTableView>(window, "compared_facts").model();
  const int all = facts.rowCount();
  child<QCheckBox>(window, "only_differences").setChecked(true);
  CHECK(facts.rowCount() < all);
  CHECK(row_of(facts, "Calibration tokens") >= 0);
  CHECK(row_of(facts, "Seed") == -1);
  const ui::Rows curves = child<ui::FrontiersPlot>(window, "frontiers_plot").numbers();
  CHECK(std::ranges::count_if(curves, [](const QStringList& row) { return row[0] == "first"; }) > 10);
  CHECK(std::ranges::count_if(curves, [](const QStringList& row) { return row[0] == "second"; }) > 10);
  auto& layers = *child<QTableView>(window, "compared_layers").model();
  CHECK(layers.rowCount() == example_layers);
  CHECK(layers.headerData(1, Qt::Horizontal).toString() == "first");
  const QString before = layers.index(2, 1).data().toString();
  child<QDoubleSpinBox>(window, "compared_share").setValue(100);
  CHECK(layers.index(2, 1).data().toString() == "dense");
  CHECK(before != "dense");
}

TEST_CASE("a run that predicts nothing yet, or cannot be read, is not compared") {
  SUBCASE("unfinished") {
    nlohmann::json unfinished = example_show();
    unfinished["tradeoff"] = nullptr;
    unfinished["profile"] = nullptr;
    unfinished["policy"] = nullptr;
    Comparison comparison(StandInEngine::finding(unfinished.dump()));
    CHECK(wait_until([&] {
      return std::ranges::any_of(comparison.window->findChildren<QLabel*>(),
                                 [](const QLabel* label) { return label->text().contains("not finished"); });
    }));
  }
  SUBCASE("no run") {
    Comparison comparison(StandInEngine::complaining("There is no run in /runs/second.", "Look there.", 2));
    const auto button = [&]() -> QPushButton* {
      for (auto* found : comparison.window->findChildren<QPushButton*>())
        if (found->text() == "Choose another run…") return found;
      return nullptr;
    };
    REQUIRE(wait_until([&] { return button() != nullptr; }));
    bool wanted = false;
    QObject::connect(comparison.window, &ui::RunComparisonWindow::other_run_wanted, [&] { wanted = true; });
    button()->click();
    CHECK(wanted);
    CHECK(wait_until([&] { return comparison.window.isNull(); }));
  }
}
