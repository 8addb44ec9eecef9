#include "ui/workspace/layer_panel.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QSortFilterProxyModel>
#include <QStyle>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/models/layer_model.h"
#include "ui/models/policy_editor.h"
#include "ui/models/sentences.h"
#include "ui/widgets/help_mark.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/table_actions.h"
#include "ui/workspace/layer_slider.h"
#include "ui/workspace/others_row.h"

namespace ladimo::ui {

/// A number finds layers whose number begins with it. Other words are searched in the policies.
class LayerPanel::Search : public QSortFilterProxyModel {
 public:
  using QSortFilterProxyModel::QSortFilterProxyModel;
  void look_for(const QString& words) {
    words_ = words.trimmed();
    invalidateFilter();
  }

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override {
    bool is_number = false;
    words_.toInt(&is_number);
    if (is_number) return QString::number(row).startsWith(words_);
    const QModelIndex policy = sourceModel()->index(row, LayerModel::policy, parent);
    return policy.data().toString().contains(words_, Qt::CaseInsensitive);
  }

 private:
  QString words_;
};

LayerPanel::LayerPanel(PolicyEditor& editor, QWidget* parent)
    : QWidget(parent),
      layers_(new LayerModel(editor, this)),
      sorted_(new Search(this)),
      search_(new QLineEdit),
      table_(new QTableView),
      message_(new QLabel),
      slider_(new LayerSlider(editor)) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins({});
  column->setSpacing(spacing(*this) / 2);
  auto* row = new QHBoxLayout;
  row->addWidget(search_);
  row->addWidget(new HelpMark(Help::layers, *this));
  column->addLayout(row);
  column->addWidget(table_, 1);
  column->addWidget(message_);
  column->addWidget(slider_);
  column->addWidget(new OthersRow(editor));
  message_->setWordWrap(true);
  message_->hide();
  make_table(editor);
  make_search();
  recolour();
}

void LayerPanel::make_table(const PolicyEditor& editor) {
  sorted_->setSourceModel(layers_);
  sorted_->setSortRole(LayerModel::sort_role);
  sorted_->setDynamicSortFilter(false);  // rows must not move while a slider moves
  table_->setModel(sorted_);
  table_->setObjectName(QStringLiteral("layer_table"));
  table_->setAccessibleName(tr("Layers"));
  table_->setSelectionMode(QAbstractItemView::ExtendedSelection);
  set_table_look(*table_);
  table_->sortByColumn(LayerModel::layer, Qt::AscendingOrder);
  fit_table();
  connect(table_->horizontalHeader(), &QHeaderView::sortIndicatorChanged, this, &LayerPanel::fit_table);
  auto* actions = new TableActions(*table_, editor.run().name() + QStringLiteral("-layers"));
  connect(actions, &TableActions::failed, this, [this](const QString& sentence) {
    message_->setText(sentence);
    message_->show();
  });
  connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
          &LayerPanel::follow_current);
  connect(table_->selectionModel(), &QItemSelectionModel::selectionChanged, this,
          &LayerPanel::follow_selection);
}

/// Only the sorted column needs space for the arrow. Any policy fits, also one that no layer has yet.
void LayerPanel::fit_table() {
  QHeaderView& header = *table_->horizontalHeader();
  header.setSortIndicatorShown(false);
  fit_columns(*table_);
  const int longest = table_->fontMetrics().horizontalAdvance(in_words(LayerPolicy::top(0)));
  const int wanted = longest + table_->iconSize().width() + 2 * spacing(*this);
  header.resizeSection(LayerModel::policy, std::max(header.sectionSize(LayerModel::policy), wanted));
  header.setSortIndicatorShown(true);
  const int sorted = header.sortIndicatorSection();
  header.resizeSection(sorted, header.sectionSize(sorted) + 2 * spacing(*this));
}

void LayerPanel::make_search() {
  search_->setObjectName(QStringLiteral("layer_search"));
  search_->setPlaceholderText(tr("Search layers: 12, dense, threshold …"));
  search_->setAccessibleName(tr("Search layers"));
  search_->setToolTip(tr("Shows layers with this number, or with this text in their policy (Ctrl+F)"));
  search_->setClearButtonEnabled(true);
  connect(search_, &QLineEdit::textChanged, this, [this](const QString& words) {
    const int shown = shown_;
    sorted_->look_for(words);
    const QModelIndex back = sorted_->mapFromSource(layers_->index(shown, 0));
    if (selected_layer() < 0 && back.isValid()) table_->setCurrentIndex(back);  // it was filtered out
    message_->setText(tr("No layer matches “%1”.").arg(words));
    message_->setVisible(sorted_->rowCount() == 0);
  });
}

void LayerPanel::find() { search_->setFocus(Qt::ShortcutFocusReason); }

QSize LayerPanel::sizeHint() const {
  const int bar = style()->pixelMetric(QStyle::PM_ScrollBarExtent);
  return {table_->horizontalHeader()->length() + bar + spacing(*this), QWidget::sizeHint().height()};
}

int LayerPanel::selected_layer() const { return sorted_->mapToSource(table_->currentIndex()).row(); }

void LayerPanel::select_layer(int layer) {
  if (layer == selected_layer()) return;
  const auto row = [&] { return sorted_->mapFromSource(layers_->index(layer, 0)); };
  if (!row().isValid()) search_->clear();  // the search hides the row
  table_->setCurrentIndex(row());
}

void LayerPanel::follow_current() {
  const int layer = selected_layer();
  if (layer < 0) return;
  shown_ = layer;
  follow_selection();  // another layer may come first
  emit layer_selected(layer);
}

/// Several layers can be pinned together; the current one comes first.
void LayerPanel::follow_selection() {
  const int current = selected_layer();
  std::vector<int> layers;
  for (const QModelIndex& row : table_->selectionModel()->selectedRows())
    layers.push_back(sorted_->mapToSource(row).row());
  std::ranges::sort(layers, {}, [current](int layer) { return std::pair(layer != current, layer); });
  slider_->select_layers(std::move(layers));
}

void LayerPanel::recolour() { layers_->set_theme(theme_of(palette())); }

void LayerPanel::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) recolour();
}

}  // namespace ladimo::ui
