#include "ui/wizard/layer_progress_model.h"

#include <algorithm>

#include "ui/models/numbers.h"

namespace ladimo::ui {

void LayerProgressModel::set_layers(const std::vector<LayerState>& layers) {
  std::vector<Row> rows;
  for (const LayerState& state : layers)
    rows.push_back({state.layer, state.status, part_in_words(state.what), state.loss_before, state.loss_after,
                    state.seconds});
  if (rows.size() != rows_.size()) {
    beginResetModel();
    rows_ = std::move(rows);
    endResetModel();
    return;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == rows_[i]) continue;
    rows_[i] = rows[i];
    const int row = static_cast<int>(i);
    emit dataChanged(index(row, 0), index(row, column_count - 1));
  }
}

void LayerProgressModel::set_theme(const Theme& theme) {
  theme_ = theme;
  if (!rows_.empty())
    emit dataChanged(index(0, 0), index(rowCount() - 1, column_count - 1), {Qt::ForegroundRole});
}

int LayerProgressModel::row_of(int number) const {
  const auto found = std::ranges::find(rows_, number, &Row::layer);
  return found == rows_.end() ? -1 : static_cast<int>(found - rows_.begin());
}

int LayerProgressModel::layer_at(int row) const { return rows_[static_cast<std::size_t>(row)].layer; }

int LayerProgressModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

int LayerProgressModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int{column_count};
}

QString LayerProgressModel::text(const Row& row, int column) const {
  const auto loss = [](const std::optional<double>& value) {
    return value ? number_text(*value) : QStringLiteral("–");
  };
  switch (column) {
    case layer:
      return QString::number(row.layer);
    case status:
      return row.status == LayerState::Status::done      ? tr("finished")
             : row.status == LayerState::Status::waiting ? tr("waiting")
             : row.what.isEmpty()                        ? tr("running")
                                                         : row.what;
    case loss_before:
      return loss(row.loss_before);
    case loss_after:
      return loss(row.loss_after);
    default:
      return row.seconds > 0 ? duration_text(row.seconds) : QStringLiteral("–");
  }
}

QVariant LayerProgressModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const Row& row = rows_[static_cast<std::size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      return text(row, index.column());
    case Qt::TextAlignmentRole:
      return int(Qt::AlignVCenter | (index.column() == status ? Qt::AlignLeft : Qt::AlignRight));
    case Qt::ForegroundRole:
      return row.status == LayerState::Status::waiting ? theme_.faint : theme_.text;
    default:
      return {};
  }
}

QVariant LayerProgressModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  static const char* const titles[] = {QT_TR_NOOP("Layer"), QT_TR_NOOP("State"), QT_TR_NOOP("Loss before"),
                                       QT_TR_NOOP("Loss after"), QT_TR_NOOP("Time")};
  static const char* const tips[] = {
      QT_TR_NOOP("Counted from 0"), QT_TR_NOOP("Current step"),
      QT_TR_NOOP("Normalised squared error on validation tokens, before refit and distillation"),
      QT_TR_NOOP("Normalised squared error on validation tokens, after refit and distillation"),
      QT_TR_NOOP("How long the layer took")};
  if (role == Qt::DisplayRole) return tr(titles[section]);
  if (role == Qt::TextAlignmentRole)
    return int(Qt::AlignVCenter | (section == status ? Qt::AlignLeft : Qt::AlignRight));
  return role == Qt::ToolTipRole ? tr(tips[section]) : QVariant();
}

}  // namespace ladimo::ui
