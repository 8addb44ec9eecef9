#include "ui/models/layer_table_model.h"

#include <limits>
#include <optional>

#include "base/format.h"
#include "ui/models/sentences.h"

namespace ladimo::ui {
namespace {

struct ColumnText {
  const char* title;  // with the unit
  const char* tip;
};

constexpr ColumnText column_texts[LayerTableModel::column_count] = {
    {QT_TR_NOOP("Layer"), QT_TR_NOOP("Counted from 0, from the embedding to the head")},
    {QT_TR_NOOP("Policy"), QT_TR_NOOP("How this layer decides which routed experts run for a token")},
    {QT_TR_NOOP("Experts on\nper token"),
     QT_TR_NOOP("Routed experts that run for one token, on average; the shared experts always run")},
    {QT_TR_NOOP("KL added\nnats/token"),
     QT_TR_NOOP("KL(dense ‖ only this layer under its policy), from the run's table")},
    {QT_TR_NOOP("Activated\n% of FFN"),
     QT_TR_NOOP("Parameters that one token uses, in per cent of the dense FFN's; the router counts")},
    {QT_TR_NOOP("Error before\ndistillation"),
     QT_TR_NOOP("Normalised squared error of the layer's output on held-out rows: experts and router only")},
    {QT_TR_NOOP("Error after\ndistillation"),
     QT_TR_NOOP("The same after refit and distillation: 0 is the dense FFN, 1 is a constant output")},
};

std::optional<double> number(const LayerRow& row, int column) {
  switch (column) {
    case LayerTableModel::layer:
      return row.layer;
    case LayerTableModel::experts_on:
      return row.experts_on;
    case LayerTableModel::kl:
      return row.kl;
    case LayerTableModel::activated:
      return row.activated ? std::optional(*row.activated * 100) : std::nullopt;
    case LayerTableModel::loss_before:
      return row.loss_before;
    case LayerTableModel::loss_after:
      return row.loss_after;
    default:
      return {};
  }
}

QString text(const LayerRow& row, int column) {
  if (column == LayerTableModel::layer) return QString::number(row.layer);
  if (column == LayerTableModel::policy)
    return row.policy ? in_words(*row.policy) : QObject::tr("not chosen");
  const bool dense = row.policy && row.policy->kind == LayerPolicy::Kind::dense;
  if (column == LayerTableModel::experts_on && dense) return QObject::tr("all");
  const auto value = number(row, column);
  return value ? QString::fromStdString(format_number(*value)) : QStringLiteral("–");
}

QVariant sort_value(const LayerRow& row, int column) {
  if (column == LayerTableModel::policy) return text(row, column);
  return number(row, column).value_or(std::numeric_limits<double>::infinity());
}

int alignment(int column) {
  return (column == LayerTableModel::policy ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter;
}

}  // namespace

void LayerTableModel::set_layers(std::vector<LayerRow> layers) {
  beginResetModel();
  layers_ = std::move(layers);
  endResetModel();
}

void LayerTableModel::set_theme(const Theme& theme) {
  theme_ = theme;
  if (!layers_.empty()) emit dataChanged(index(0, policy), index(rowCount() - 1, policy));
}

int LayerTableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(layers_.size());
}

int LayerTableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : column_count;
}

QVariant LayerTableModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const LayerRow& row = layers_[static_cast<std::size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      return text(row, index.column());
    case Qt::TextAlignmentRole:
      return alignment(index.column());
    case Qt::DecorationRole:
      return index.column() == policy ? decoration(row) : QVariant();
    case sort_role:
      return sort_value(row, index.column());
    default:
      return {};
  }
}

QVariant LayerTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= column_count) return {};
  switch (role) {
    case Qt::DisplayRole:
      return tr(column_texts[section].title);
    case Qt::ToolTipRole:
      return tr(column_texts[section].tip);
    case Qt::TextAlignmentRole:
      return alignment(section);
    default:
      return {};
  }
}

QVariant LayerTableModel::decoration(const LayerRow& row) const {
  if (!row.policy) return {};
  return row.policy->kind == LayerPolicy::Kind::dense ? theme_.dense : theme_.converted;
}

}  // namespace ladimo::ui
