#include "ui/widgets/table_actions.h"

#include <doctest/doctest.h>

#include <QAction>
#include <QClipboard>
#include <QFile>
#include <QGuiApplication>
#include <QSignalSpy>
#include <QStandardItemModel>
#include <QTableView>

#include "support/temporary_folder.h"

using namespace ladimo;
using ui::TableActions;

namespace {

struct Table {
  Table() {
    model.setHorizontalHeaderLabels({"Layer", "Policy"});
    model.appendRow({new QStandardItem("0"), new QStandardItem("dense, all")});
    view.setModel(&model);
    ui::set_table_look(view);
    ui::fit_columns(view);
  }
  QStandardItemModel model;
  QTableView view;
};

}  // namespace

TEST_CASE("a table is copied with its header, separated by tabs") {
  Table table;
  TableActions(table.view, "layers").copy();
  CHECK(QGuiApplication::clipboard()->text() == "Layer\tPolicy\n0\tdense, all\n");
}

TEST_CASE("a table is saved as CSV, or says why not") {
  const testing::TemporaryFolder folder;
  const auto path = QString::fromStdString((folder / "layers.csv").string());
  Table table;
  auto* actions = new TableActions(table.view, "layers");
  QSignalSpy saved(actions, &TableActions::saved), failed(actions, &TableActions::failed);
  actions->save(path);
  REQUIRE(saved.count() == 1);
  QFile file(path);
  REQUIRE(file.open(QIODevice::ReadOnly));
  CHECK(file.readAll() == "Layer,Policy\n0,\"dense, all\"\n");
  actions->save(QString::fromStdString((folder / "none" / "layers.csv").string()));
  REQUIRE(failed.count() == 1);
  CHECK(failed.first().first().toString().contains("could not be saved"));
}

TEST_CASE("copying and saving are in the table's menu, with the usual shortcut") {
  Table table;
  new TableActions(table.view, "layers");
  REQUIRE(table.view.actions().size() == 2);
  CHECK(table.view.actions().first()->shortcut() == QKeySequence(QKeySequence::Copy));
  CHECK(table.view.contextMenuPolicy() == Qt::ActionsContextMenu);
}
