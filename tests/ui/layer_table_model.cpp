#include "ui/models/layer_table_model.h"

#include <doctest/doctest.h>

#include <limits>

#include <QAbstractItemModelTester>
#include <QPalette>
#include <QSortFilterProxyModel>

#include "example_run.h"
#include "ui/models/table_text.h"

using namespace ladimo;
using namespace ladimo::ui;
using Model = LayerTableModel;

namespace {

std::vector<LayerRow> example_rows() {
  return read_summary(QByteArray::fromStdString(testing::example_show().dump())).layers;
}

QString text(const QAbstractItemModel& model, int row, int column) {
  return model.index(row, column).data().toString();
}

}  // namespace

TEST_CASE("the model keeps Qt's rules through resets and sorting") {
  Model model;
  const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
  QSortFilterProxyModel proxy;
  const QAbstractItemModelTester proxy_tester(&proxy, QAbstractItemModelTester::FailureReportingMode::Fatal);
  proxy.setSourceModel(&model);
  proxy.setSortRole(Model::sort_role);
  CHECK(model.rowCount() == 0);
  model.set_layers(example_rows());
  model.set_theme(theme_of(QPalette()));
  proxy.sort(Model::kl, Qt::DescendingOrder);
  CHECK(proxy.rowCount() == 6);
  CHECK(text(proxy, 0, Model::layer) == "1");
  model.set_layers({});
  CHECK(proxy.rowCount() == 0);
}

TEST_CASE("cells show three significant digits, never an exponent") {
  auto rows = example_rows();
  rows[5].kl = 0.0000123;
  Model model;
  model.set_layers(rows);
  CHECK(text(model, 0, Model::policy) == "dense");
  CHECK(text(model, 0, Model::experts_on) == "all");
  CHECK(text(model, 0, Model::activated) == "100");
  CHECK(text(model, 1, Model::policy) == "threshold 0.0250");
  CHECK(text(model, 1, Model::experts_on) == "30.2");
  CHECK(text(model, 1, Model::kl) == "0.0123");
  CHECK(text(model, 2, Model::policy) == "12 strongest");
  CHECK(text(model, 3, Model::activated) == "65.0");
  CHECK(text(model, 3, Model::loss_after) == "0.0336");
  CHECK(text(model, 5, Model::kl) == "0.0000123");
}

TEST_CASE("unknown numbers are dashes and sort last") {
  Model model;
  LayerRow row;
  row.layer = 4;
  model.set_layers({row});
  CHECK(text(model, 0, Model::policy) == "not chosen");
  CHECK(text(model, 0, Model::kl) == "–");
  CHECK(model.index(0, Model::kl).data(Model::sort_role).toDouble() ==
        std::numeric_limits<double>::infinity());
}

TEST_CASE("numbers stand right, under titles with units") {
  Model model;
  model.set_layers(example_rows());
  for (int column = 0; column < Model::column_count; ++column) {
    const int side = column == Model::policy ? Qt::AlignLeft : Qt::AlignRight;
    CHECK((model.index(0, column).data(Qt::TextAlignmentRole).toInt() & Qt::AlignHorizontal_Mask) == side);
    CHECK_FALSE(model.headerData(column, Qt::Horizontal, Qt::ToolTipRole).toString().isEmpty());
  }
  CHECK(model.headerData(Model::kl, Qt::Horizontal).toString().contains("nats"));
  CHECK(model.headerData(Model::activated, Qt::Horizontal).toString().contains("%"));
}

TEST_CASE("dense and converted layers carry the theme's two colours") {
  const Theme theme = theme_of(QPalette());
  Model model;
  model.set_layers(example_rows());
  model.set_theme(theme);
  CHECK(model.index(0, Model::policy).data(Qt::DecorationRole).value<QColor>() == theme.dense);
  CHECK(model.index(1, Model::policy).data(Qt::DecorationRole).value<QColor>() == theme.converted);
  CHECK_FALSE(model.index(1, Model::kl).data(Qt::DecorationRole).isValid());
}

TEST_CASE("the table leaves as text") {
  auto rows = example_rows();
  rows.resize(2);
  Model model;
  model.set_layers(rows);
  const QStringList lines = table_text(model, ',').split('\n');
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].startsWith("Layer,Policy,Experts on per token,"));
  CHECK(lines[1] == "0,dense,all,0,100,0.0810,0.0213");
  CHECK(lines[3].isEmpty());
  CHECK(table_text(model, ' ').contains("\"threshold 0.0250\""));
}
