#include "ui/models/policies_model.h"

#include <limits>

#include <QFont>

#include "ui/models/column_text.h"
#include "ui/models/measurements_model.h"
#include "ui/models/numbers.h"
#include "ui/models/sentences.h"

namespace ladimo::ui {
namespace {

constexpr ColumnText column_texts[PoliciesModel::column_count] = {
    {QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel", "Policy"),
     QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel", "The name it was saved under")},
    {QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel", "KL\nnats/token"),
     QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel", "Predicted mean KL(dense ‖ converted)")},
    {QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel", "Perplexity\nchange, %"),
     QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel", "Predicted change against the original's, in per cent")},
    {QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel", "Activated\n%"),
     QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel",
                       "Parameters used per token, in per cent of the original's")},
    {QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel", "Activated\n% of FFNs"),
     QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel", "The same for the FFNs only, routers included")},
    {QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel", "Decode\nms/token"),
     QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel",
                       "Predicted from the measured latency table, one token at a time")},
    {QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel", "Layers"),
     QT_TRANSLATE_NOOP("ladimo::ui::PoliciesModel", "Number of layers with each kind of policy")},
};

int alignment(int column) {
  const bool words = column == PoliciesModel::name || column == PoliciesModel::kinds;
  return (words ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter;
}

}  // namespace

PoliciesModel::PoliciesModel(double dense_perplexity, QObject* parent)
    : QAbstractTableModel(parent), dense_perplexity_(dense_perplexity) {}

std::optional<double> PoliciesModel::number(const NamedPolicy& row, int column) const {
  const PolicyNumbers& numbers = row.policy.predicted;
  switch (column) {
    case kl:
      return numbers.kl;
    case perplexity:
      return 100 * (numbers.perplexity / dense_perplexity_ - 1);
    case activated:
      return 100 * numbers.activated_fraction;
    case ffn_activated:
      return 100 * numbers.ffn_activated;
    case decode_ms:
      return numbers.decode_ms;
    default:
      return {};
  }
}

QString PoliciesModel::cell(const NamedPolicy& row, int column) const {
  if (column == name) return row.name;
  if (column == kinds) return kinds_in_words(row.policy.layers);
  const auto value = number(row, column);
  return value ? number_text(*value) : QStringLiteral("–");
}

QVariant PoliciesModel::sort_value(const NamedPolicy& row, int column) const {
  if (column == name || column == kinds) return cell(row, column);
  return number(row, column).value_or(std::numeric_limits<double>::infinity());
}

void PoliciesModel::set_policies(std::vector<NamedPolicy> policies) {
  beginResetModel();
  policies_ = std::move(policies);
  endResetModel();
}

const NamedPolicy& PoliciesModel::at(int row) const { return policies_.at(static_cast<std::size_t>(row)); }

int PoliciesModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(policies_.size());
}

int PoliciesModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : column_count;
}

QVariant PoliciesModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  switch (role) {
    case Qt::DisplayRole:
      return cell(at(index.row()), index.column());
    case Qt::TextAlignmentRole:
      return alignment(index.column());
    case sort_role:
      return sort_value(at(index.row()), index.column());
    default:
      return {};
  }
}

QVariant PoliciesModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= column_count) return {};
  return header_of(column_texts[section], staticMetaObject, alignment(section), role);
}

void PolicyLayersModel::set_policies(std::vector<NamedPolicy> policies) {
  beginResetModel();
  policies_ = std::move(policies);
  endResetModel();
}

int PolicyLayersModel::rowCount(const QModelIndex& parent) const {
  if (parent.isValid() || policies_.empty()) return 0;
  return static_cast<int>(policies_.front().policy.layers.size());
}

int PolicyLayersModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() || policies_.empty() ? 0 : static_cast<int>(policies_.size()) + 1;
}

const LayerPolicy& PolicyLayersModel::layer(const QModelIndex& index) const {
  return policies_[static_cast<std::size_t>(index.column() - 1)].policy.layers.at(
      static_cast<std::size_t>(index.row()));
}

bool PolicyLayersModel::differs(const QModelIndex& index) const {
  return index.column() > 1 && layer(index) != layer(index.siblingAtColumn(1));
}

QVariant PolicyLayersModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const bool number = index.column() == 0;
  switch (role) {
    case Qt::DisplayRole:
      return number ? QString::number(index.row()) : layer_in_words(layer(index));
    case Qt::TextAlignmentRole:
      return int((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    case Qt::FontRole:
      return font_of_difference(!number && differs(index));
    default:
      return {};
  }
}

QVariant PolicyLayersModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= columnCount()) return {};
  if (role == Qt::TextAlignmentRole)
    return int((section == 0 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
  if (role != Qt::DisplayRole) return {};
  return section == 0 ? tr("Layer") : policies_[static_cast<std::size_t>(section - 1)].name;
}

QString layer_in_words(const LayerPolicy& policy) {
  const QString words = in_words(policy);
  if (policy.kind != LayerPolicy::Kind::threshold) return words;
  return QObject::tr("%1 · %2 experts on").arg(words, number_text(policy.mean_experts));
}

}  // namespace ladimo::ui
