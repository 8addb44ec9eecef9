#include "ui/models/layer_model.h"

#include <limits>

#include <QFont>

#include "ui/models/column_text.h"
#include "ui/models/numbers.h"
#include "ui/models/sentences.h"

namespace ladimo::ui {
namespace {

constexpr ColumnText column_texts[LayerModel::column_count] = {
    {QT_TRANSLATE_NOOP("ladimo::ui::LayerModel", "Layer"),
     QT_TRANSLATE_NOOP("ladimo::ui::LayerModel",
                       "Counted from 0, from the embedding to the head; ⚠ marks a degenerate router")},
    {QT_TRANSLATE_NOOP("ladimo::ui::LayerModel", "Policy"),
     QT_TRANSLATE_NOOP("ladimo::ui::LayerModel", "How this layer chooses the routed experts for a token")},
    {QT_TRANSLATE_NOOP("ladimo::ui::LayerModel", "Pin"),
     QT_TRANSLATE_NOOP("ladimo::ui::LayerModel",
                       "A pinned layer keeps its policy when the trade-off slider moves")},
    {QT_TRANSLATE_NOOP("ladimo::ui::LayerModel", "Experts on\nper token"),
     QT_TRANSLATE_NOOP("ladimo::ui::LayerModel",
                       "Routed experts that run for one token, on average; shared experts always run")},
    {QT_TRANSLATE_NOOP("ladimo::ui::LayerModel", "Neurons\n% used"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::LayerModel",
         "Neurons that one token uses, on average: those in experts that run, without the skipped ones")},
    {QT_TRANSLATE_NOOP("ladimo::ui::LayerModel", "Inputs\n% used"),
     QT_TRANSLATE_NOOP("ladimo::ui::LayerModel",
                       "Inputs of q, k and v, of o, and of gate and up that one token uses, on average")},
    {QT_TRANSLATE_NOOP("ladimo::ui::LayerModel", "KL\n% of total"),
     QT_TRANSLATE_NOOP("ladimo::ui::LayerModel",
                       "This layer's share of the total KL, each layer measured alone under its policy")},
    {QT_TRANSLATE_NOOP("ladimo::ui::LayerModel", "Latency\n% of total"),
     QT_TRANSLATE_NOOP("ladimo::ui::LayerModel", "This FFN's share of the decode time per token")},
    {QT_TRANSLATE_NOOP("ladimo::ui::LayerModel", "Loss\nbefore"),
     QT_TRANSLATE_NOOP("ladimo::ui::LayerModel",
                       "Normalised squared error of the layer's output on validation tokens, before refit "
                       "and distillation")},
    {QT_TRANSLATE_NOOP("ladimo::ui::LayerModel", "Loss\nafter"),
     QT_TRANSLATE_NOOP("ladimo::ui::LayerModel",
                       "The same after refit and distillation: 0 is the dense FFN, 1 is a constant output")},
};
constexpr ColumnText activated_text = {
    QT_TRANSLATE_NOOP("ladimo::ui::LayerModel", "Activated\n% of total"),
    QT_TRANSLATE_NOOP(
        "ladimo::ui::LayerModel",
        "This FFN's share of the parameters that one token uses; this run has no measured times")};

}  // namespace

LayerModel::LayerModel(const PolicyEditor& editor, QObject* parent)
    : QAbstractTableModel(parent), editor_(editor) {
  constexpr int moment_ms = 4000;
  moment_.setSingleShot(true);
  moment_.setInterval(moment_ms);
  connect(&moment_, &QTimer::timeout, this, [this] {
    for (Row& row : rows_) row.changed = false;
    emit dataChanged(index(0, layer), index(rowCount() - 1, column_count - 1));
  });
  connect(&editor, &PolicyEditor::changed, this, &LayerModel::mark_changed);
  connect(&editor, &PolicyEditor::changed, this, &LayerModel::follow);
  rows_.resize(editor_.policy().layers.size());
  for (std::size_t l = 0; l < rows_.size(); ++l) {
    rows_[l].warned = !router_warning(editor_.run(), static_cast<int>(l)).isEmpty();
    const LayerRecord* record = editor_.run().record_of(static_cast<int>(l));
    if (record == nullptr) continue;
    rows_[l].loss_before = record->loss_before;
    rows_[l].loss_after = record->loss_after;
  }
  follow();
}

double LayerModel::cost_of(const Candidate& candidate) const {
  return editor_.run().latency ? editor_.decode_ms(candidate.policy) : candidate.activated;
}

/// The share of a layer's neurons that one token uses.
double LayerModel::neurons_of(const LayerPolicy& of) const {
  if (const InputCut& cut = of.cut(Product::down); cut.threshold > 0) return cut.share;
  const auto& sizes = editor_.run().tradeoff->sizes;
  return sizes ? sizes->running(of) / sizes->neurons : 1;
}

double LayerModel::other_cost() const {
  const RunData& run = editor_.run();
  return run.latency ? run.latency->other_decode_ms : run.tradeoff->other_activated;
}

void LayerModel::follow() {
  double kl = 0, cost = other_cost();
  for (std::size_t l = 0; l < rows_.size(); ++l) {
    Row& row = rows_[l];
    row.priced = editor_.price(static_cast<int>(l), editor_.policy().layers[l]);
    row.pinned = editor_.pins().contains(static_cast<int>(l));
    row.kl = row.priced.kl;
    row.cost = cost_of(row.priced);
    kl += row.kl;
    cost += row.cost;
  }
  for (Row& row : rows_) {
    if (kl > 0) row.kl /= kl;
    row.cost /= cost;
  }
  if (!rows_.empty()) emit dataChanged(index(0, layer), index(rowCount() - 1, column_count - 1));
}

void LayerModel::mark_changed() {
  for (Row& row : rows_) row.changed = false;
  const std::vector<int> changed = editor_.changed_layers();
  for (const int one : changed) rows_[static_cast<std::size_t>(one)].changed = true;
  changed.empty() ? moment_.stop() : moment_.start();
}

void LayerModel::set_theme(const Theme& theme) {
  theme_ = theme;
  if (!rows_.empty()) emit dataChanged(index(0, layer), index(rowCount() - 1, pinned));
}

int LayerModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

int LayerModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : column_count; }

std::optional<double> LayerModel::number(int row, int column) const {
  const Row& values = rows_[static_cast<std::size_t>(row)];
  switch (column) {
    case layer:
      return row;
    case pinned:
      return values.pinned ? 0 : 1;  // pinned layers come first
    case experts_on:
      if (values.priced.policy.kind == LayerPolicy::Kind::dense) return {};
      return values.priced.policy.mean_experts;
    case neurons_used:
      return 100 * neurons_of(values.priced.policy);
    case inputs_share:
      return 100 * inputs_used(values.priced.policy);
    case kl_share:
      return 100 * values.kl;
    case cost_share:
      return 100 * values.cost;
    case loss_before:
      return values.loss_before;
    case loss_after:
      return values.loss_after;
    default:
      return {};
  }
}

QString LayerModel::text(int row, int column) const {
  const Row& values = rows_[static_cast<std::size_t>(row)];
  if (column == layer) return (values.warned ? QStringLiteral("⚠ ") : QString()) + QString::number(row);
  if (column == policy) return layer_in_words(editor_.run(), row, values.priced.policy);
  if (column == pinned) return values.pinned ? QStringLiteral("●") : QString();
  const auto value = number(row, column);
  if (column == experts_on && !value) return tr("all");
  return value ? number_text(*value) : QStringLiteral("–");
}

QString LayerModel::tip(int row, int column) const {
  const Row& values = rows_[static_cast<std::size_t>(row)];
  if (column == layer) return router_warning(editor_.run(), row);
  if (column == pinned && values.pinned) return tr("pinned");
  if (column == kl_share) return tr("+%1 nats per token (predicted)").arg(number_text(values.priced.kl));
  if (column != cost_share) return {};
  return editor_.run().latency ? tr("%1 ms (predicted)").arg(number_text(cost_of(values.priced)))
                               : tr("%1 parameters (predicted)").arg(number_text(values.priced.activated));
}

QVariant LayerModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const Row& row = rows_[static_cast<std::size_t>(index.row())];
  const bool dense = row.priced.policy.kind == LayerPolicy::Kind::dense;
  switch (role) {
    case Qt::DisplayRole:
      return text(index.row(), index.column());
    case Qt::ToolTipRole:
    case Qt::AccessibleDescriptionRole:
      return tip(index.row(), index.column());
    case Qt::TextAlignmentRole:
      return static_cast<int>((index.column() == policy   ? Qt::AlignLeft
                               : index.column() == pinned ? Qt::AlignHCenter
                                                          : Qt::AlignRight) |
                              Qt::AlignVCenter);
    case Qt::DecorationRole:
      return index.column() == policy ? QVariant(dense ? theme_.dense : theme_.converted) : QVariant();
    case Qt::ForegroundRole:
      return index.column() == pinned ? QVariant(theme_.accent) : QVariant();
    case Qt::BackgroundRole: {
      QColor mark = theme_.accent;
      mark.setAlphaF(0.2F);
      return row.changed ? QVariant(mark) : QVariant();
    }
    case Qt::FontRole: {
      QFont underlined;  // told apart without colour, too
      underlined.setUnderline(true);
      return row.changed && index.column() == policy ? QVariant(underlined) : QVariant();
    }
    case sort_role:
      if (index.column() == policy) return text(index.row(), policy);
      return number(index.row(), index.column()).value_or(std::numeric_limits<double>::infinity());
    default:
      return {};
  }
}

QVariant LayerModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= column_count) return {};
  const bool no_times = section == cost_share && !editor_.run().latency;
  const ColumnText& texts = no_times ? activated_text : column_texts[section];
  const auto alignment = section == policy   ? Qt::AlignLeft
                         : section == pinned ? Qt::AlignHCenter
                                             : Qt::AlignRight;
  return header_of(texts, staticMetaObject, static_cast<int>(alignment | Qt::AlignVCenter), role);
}

}  // namespace ladimo::ui
