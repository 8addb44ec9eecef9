#include "ui/widgets/table_actions.h"

#include <QAction>
#include <QClipboard>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHeaderView>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/models/save_file.h"
#include "ui/models/table_text.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {

void set_table_look(QTableView& table) {
  const int space = spacing(table);
  table.setSelectionBehavior(QAbstractItemView::SelectRows);
  table.setShowGrid(false);
  table.setWordWrap(false);
  table.setTabKeyNavigation(false);  // Tab goes on to the next control; arrows move inside
  table.setSortingEnabled(true);
  table.setIconSize(QSize(space, space));
  table.verticalHeader()->hide();
  table.verticalHeader()->setDefaultSectionSize(3 * space);
  table.horizontalHeader()->setHighlightSections(false);
}

QWidget* with_actions(QTableView& table, const QString& name) {
  auto* failure = new Note(Note::Kind::wrong);
  failure->hide();
  auto* side = new QWidget;
  auto* column = new QVBoxLayout(side);
  column->setContentsMargins({});
  column->addWidget(&table);
  column->addWidget(failure);
  auto* actions = new TableActions(table, name);
  QObject::connect(actions, &TableActions::failed, failure, [failure](const QString& sentence) {
    failure->setText(sentence);
    failure->show();
  });
  QObject::connect(actions, &TableActions::saved, failure, &QWidget::hide);
  return side;
}

void fit_columns(QTableView& table) {
  table.resizeColumnsToContents();
  QHeaderView& header = *table.horizontalHeader();
  for (int column = 0; column < header.count(); ++column)
    header.resizeSection(column, header.sectionSize(column) + spacing(table));
}

TableActions::TableActions(QAbstractItemView& table, QString name)
    : QObject(&table), table_(table), name_(std::move(name)) {
  auto* copy_action = new QAction(tr("Copy table"), &table);
  copy_action->setShortcut(QKeySequence::Copy);
  copy_action->setShortcutContext(Qt::WidgetShortcut);
  auto* save_action = new QAction(tr("Save table as CSV…"), &table);
  table.addActions({copy_action, save_action});
  table.setContextMenuPolicy(Qt::ActionsContextMenu);
  connect(copy_action, &QAction::triggered, this, &TableActions::copy);
  connect(save_action, &QAction::triggered, this, &TableActions::ask_and_save);
}

void TableActions::copy() const { QGuiApplication::clipboard()->setText(table_text(*table_.model(), '\t')); }

void TableActions::save(const QString& path) {
  const QString complaint = save_file(path, table_text(*table_.model(), ',').toUtf8());
  if (complaint.isEmpty())
    emit saved(path);
  else
    emit failed(complaint);
}

void TableActions::ask_and_save() {
  const QString path = QFileDialog::getSaveFileName(&table_, tr("Save table"), name_ + QStringLiteral(".csv"),
                                                    tr("CSV (*.csv)"));
  if (!path.isEmpty()) save(path);
}

}  // namespace ladimo::ui
