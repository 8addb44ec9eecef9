#include "ui/models/layer_model.h"

#include <doctest/doctest.h>

#include <limits>

#include <QAbstractItemModelTester>
#include <QPalette>
#include <QSortFilterProxyModel>

#include "example_run.h"
#include "ui/models/table_text.h"

using namespace ladimo;
using namespace ladimo::ui;
using Model = LayerModel;
using testing::example_run;

namespace {

QString text(const QAbstractItemModel& model, int row, int column) {
  return model.index(row, column).data().toString();
}

double sum(const Model& model, int column) {
  double all = 0;
  for (int row = 0; row < model.rowCount(); ++row)
    all += model.index(row, column).data(Model::sort_role).toDouble();
  return all;
}

}  // namespace

TEST_CASE("the model passes Qt's model tester while the policy changes and rows are sorted") {
  PolicyEditor editor(example_run());
  Model model(editor);
  const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
  QSortFilterProxyModel proxy;
  const QAbstractItemModelTester proxy_tester(&proxy, QAbstractItemModelTester::FailureReportingMode::Fatal);
  proxy.setSourceModel(&model);
  proxy.setSortRole(Model::sort_role);
  model.set_theme(theme_of(QPalette()));
  proxy.sort(Model::loss_after, Qt::DescendingOrder);
  editor.set_tradeoff(0.7);
  editor.pin(3, LayerPolicy::top(24));
  CHECK(proxy.rowCount() == 6);
  CHECK(text(proxy, 0, Model::layer) == "5");
}

TEST_CASE("a row says what its layer does and costs") {
  PolicyEditor editor(example_run());
  const Model model(editor);
  editor.pin(1, LayerPolicy::dense());
  editor.pin(2, LayerPolicy::top(12));
  editor.pin(3, editor.run().tradeoff->layers[3].candidates[4].policy);
  CHECK(text(model, 1, Model::policy) == "dense");
  CHECK(text(model, 1, Model::experts_on) == "all");
  CHECK(text(model, 1, Model::kl_share) == "0");
  CHECK(text(model, 1, Model::pinned) == "●");
  CHECK(text(model, 0, Model::pinned).isEmpty());
  CHECK(text(model, 2, Model::policy) == "top 12");
  CHECK(text(model, 2, Model::experts_on) == "12.0");
  CHECK(text(model, 3, Model::policy) == "threshold 0.0231");
  CHECK(text(model, 3, Model::experts_on) == "30.8");
  CHECK(text(model, 3, Model::loss_after) == "0.0336");
  CHECK(sum(model, Model::kl_share) == doctest::Approx(100));
  CHECK(sum(model, Model::cost_share) < 100);  // the rest of the time is outside the FFNs
  CHECK(model.index(3, Model::cost_share).data(Qt::ToolTipRole).toString().contains("ms (predicted)"));
}

TEST_CASE("without measured times the cost is activated parameters") {
  auto show = testing::example_show();
  show["latency"] = nullptr;
  PolicyEditor editor(testing::run_of(show));
  const Model model(editor);
  CHECK(model.headerData(Model::cost_share, Qt::Horizontal).toString().startsWith("Activated"));
  editor.set_tradeoff(0);
  CHECK(model.index(0, Model::cost_share).data(Model::sort_role).toDouble() ==
        doctest::Approx(100 * testing::example_ffn / (1452672 + 6 * testing::example_ffn)));
}

TEST_CASE("a layer that was not converted says so; unknown values are dashes and come last") {
  PolicyEditor editor(example_run({.not_converted = 3}));
  const Model model(editor);
  CHECK(text(model, 3, Model::policy) == "not converted");
  CHECK(text(model, 3, Model::loss_before) == "–");
  CHECK(model.index(3, Model::loss_before).data(Model::sort_role).toDouble() ==
        std::numeric_limits<double>::infinity());
}

TEST_CASE("numbers are right-aligned, titles have a tooltip, and colours tell dense from converted") {
  const Theme theme = theme_of(QPalette());
  PolicyEditor editor(example_run());
  editor.pin(0, LayerPolicy::dense());
  editor.pin(1, LayerPolicy::top(12));
  Model model(editor);
  model.set_theme(theme);
  for (const int column : {Model::experts_on, Model::kl_share, Model::cost_share, Model::loss_after})
    CHECK((model.index(0, column).data(Qt::TextAlignmentRole).toInt() & Qt::AlignRight) != 0);
  for (int column = 0; column < Model::column_count; ++column)
    CHECK_FALSE(model.headerData(column, Qt::Horizontal, Qt::ToolTipRole).toString().isEmpty());
  CHECK(model.index(0, Model::policy).data(Qt::DecorationRole).value<QColor>() == theme.dense);
  CHECK(model.index(1, Model::policy).data(Qt::DecorationRole).value<QColor>() == theme.converted);
}

TEST_CASE("a degenerate router is marked, but not in the colour of errors") {
  auto show = testing::example_show();
  show["profile"]["layers"][2]["warnings"] = {{{"message", "Experts never run."}, {"hint", "Use fewer."}}};
  PolicyEditor editor(testing::run_of(show));
  const Model model(editor);
  CHECK(text(model, 2, Model::layer) == "⚠ 2");
  CHECK_FALSE(model.index(2, Model::layer).data(Qt::ForegroundRole).isValid());
}

TEST_CASE("the table can be copied as text") {
  PolicyEditor editor(example_run());
  editor.set_tradeoff(0);
  const QStringList lines = table_text(Model(editor), ',').split('\n');
  REQUIRE(lines.size() == 8);
  CHECK(lines[0].startsWith("Layer,Policy,Pin,Experts on per token,"));
  CHECK(lines[1].startsWith("0,dense,,all,100,100,0,"));
  CHECK(lines[1].endsWith(",0.0810,0.0213"));
}
