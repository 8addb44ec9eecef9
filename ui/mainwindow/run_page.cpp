#include "ui/mainwindow/run_page.h"

#include <algorithm>

#include <QAction>
#include <QClipboard>
#include <QEvent>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHeaderView>
#include <QLabel>
#include <QMessageBox>
#include <QSaveFile>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/mainwindow/spacing.h"
#include "ui/models/layer_table_model.h"
#include "ui/models/table_text.h"
#include "ui/plots/routing_plot.h"
#include "ui/plots/theme.h"

namespace ladimo::ui {

RunPage::RunPage(QWidget* parent)
    : QWidget(parent),
      layers_(new LayerTableModel(this)),
      sorted_(new QSortFilterProxyModel(this)),
      title_(new QLabel),
      description_(new QLabel),
      split_(new QSplitter(Qt::Horizontal)),
      table_(new QTableView),
      plot_(new RoutingPlot),
      consequences_(new QLabel) {
  const int space = spacing(*this);
  title_->setTextFormat(Qt::PlainText);
  title_->setFont(title_font(font()));
  for (QLabel* label : {title_, description_, consequences_}) {
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  }
  description_->setTextFormat(Qt::PlainText);
  QFont larger = font();
  larger.setPointSizeF(larger.pointSizeF() * 1.15);
  consequences_->setFont(larger);
  consequences_->setTextFormat(Qt::RichText);
  make_table();

  split_->addWidget(table_);
  split_->addWidget(plot_);
  split_->setStretchFactor(1, 1);
  split_->setHandleWidth(2 * space);
  split_->setChildrenCollapsible(false);

  auto* page = new QVBoxLayout(this);
  page->setContentsMargins(2 * space, 2 * space, 2 * space, 2 * space);
  page->setSpacing(space);
  page->addWidget(title_);
  page->addWidget(description_);
  page->addWidget(split_, 1);
  page->addWidget(consequences_);
  recolour();
}

void RunPage::make_table() {
  sorted_->setSourceModel(layers_);
  sorted_->setSortRole(LayerTableModel::sort_role);
  table_->setModel(sorted_);
  table_->setSortingEnabled(true);
  table_->sortByColumn(LayerTableModel::layer, Qt::AscendingOrder);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->setShowGrid(false);
  table_->setWordWrap(false);
  table_->verticalHeader()->hide();
  table_->verticalHeader()->setDefaultSectionSize(3 * spacing(*this));
  table_->setIconSize(QSize(spacing(*this), spacing(*this)));
  table_->horizontalHeader()->setHighlightSections(false);
  table_->setContextMenuPolicy(Qt::ActionsContextMenu);
  auto* copy = new QAction(tr("Copy table"), table_);
  copy->setShortcut(QKeySequence::Copy);
  copy->setShortcutContext(Qt::WidgetShortcut);
  auto* save = new QAction(tr("Save table as CSV…"), table_);
  table_->addActions({copy, save});
  connect(copy, &QAction::triggered, this, &RunPage::copy_table);
  connect(save, &QAction::triggered, this, &RunPage::save_table);
  connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, &RunPage::select_layer);
}

void RunPage::show_run(RunSummary run) {
  run_ = std::move(run);
  title_->setText(run_.model);
  description_->setText(description(run_));
  consequences_->setText(consequences(run_));
  layers_->set_layers(run_.layers);
  fit_table();
  table_->selectRow(0);
}

/// All columns are seen where there is room for them and for the plot.
void RunPage::fit_table() {
  const int space = spacing(*this);
  table_->resizeColumnsToContents();
  QHeaderView& header = *table_->horizontalHeader();
  for (int column = 0; column < header.count(); ++column)
    header.resizeSection(column, header.sectionSize(column) + space);
  const int wanted = header.length() + 4 * space;
  split_->setSizes({wanted, std::max(split_->width() - wanted, split_->width() / 3)});
}

void RunPage::select_layer() {
  const QModelIndex current = sorted_->mapToSource(table_->currentIndex());
  if (current.isValid())
    plot_->set_counts(run_.layers[static_cast<std::size_t>(current.row())].routing_weights);
}

void RunPage::copy_table() { QGuiApplication::clipboard()->setText(table_text(*sorted_, '\t')); }

void RunPage::save_table() {
  const QString path = QFileDialog::getSaveFileName(this, tr("Save table"),
                                                    run_.model + QStringLiteral(".csv"), tr("CSV (*.csv)"));
  if (path.isEmpty()) return;
  QSaveFile file(path);
  if (!file.open(QIODevice::WriteOnly) || file.write(table_text(*sorted_, ',').toUtf8()) < 0 ||
      !file.commit())
    QMessageBox::warning(this, tr("Not saved"),
                         tr("The table could not be saved as %1: %2").arg(path, file.errorString()));
}

void RunPage::recolour() {
  const Theme theme = theme_of(palette());
  QPalette faint = palette();
  faint.setColor(QPalette::WindowText, theme.faint);
  description_->setPalette(faint);
  layers_->set_theme(theme);
}

void RunPage::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) recolour();
}

}  // namespace ladimo::ui
