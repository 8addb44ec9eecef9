#include "ui/models/formats_model.h"

#include <limits>

#include <QFont>

#include "ui/models/column_text.h"
#include "ui/models/numbers.h"

namespace ladimo::ui {
namespace {

constexpr ColumnText column_texts[FormatsModel::column_count] = {
    {QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel", "Format"),
     QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel", "The format that the model is written in")},
    {QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel", "Opens in"),
     QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel",
                       "Programs that load it: Hugging Face transformers loads a folder, llama.cpp and "
                       "programs based on it load a GGUF file")},
    {QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel", "Supported"),
     QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel",
                       "Whether the format supports the current policy as is, only with fitted layers, or "
                       "cannot hold this model")},
    {QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel", "Policy written"),
     QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel",
                       "The closest policy that the format supports, at no higher cost: k experts run in "
                       "every layer that is not dense")},
    {QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel", "Predicted KL\nnats/token"),
     QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel",
                       "Mean KL(dense ‖ written) predicted for that policy, before a fit")},
    {QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel", "Measured KL\nnats/token"),
     QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel",
                       "Measured on held-out text: by the last export with a fit, or by the run if the "
                       "policy is written as is")},
    {QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel", "Size\n(about)"),
     QT_TRANSLATE_NOOP("ladimo::ui::FormatsModel", "Size of the weights")},
};

bool is_number(int column) { return column >= FormatsModel::predicted_kl; }

int alignment(int column) { return (is_number(column) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter; }

}  // namespace

void FormatsModel::set_choices(std::vector<ExportChoice> choices, Policy wanted) {
  beginResetModel();
  choices_ = std::move(choices);
  wanted_ = std::move(wanted);
  measured_.assign(choices_.size(), std::nullopt);
  endResetModel();
}

void FormatsModel::set_measured(std::vector<std::optional<Measured>> measured) {
  measured_ = std::move(measured);
  measured_.resize(choices_.size());
  if (!choices_.empty()) emit dataChanged(index(0, measured_kl), index(rowCount() - 1, measured_kl));
}

void FormatsModel::set_theme(const Theme& theme) {
  theme_ = theme;
  if (!choices_.empty()) emit dataChanged(index(0, 0), index(rowCount() - 1, column_count - 1));
}

int FormatsModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(choices_.size());
}

int FormatsModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : column_count; }

std::optional<double> FormatsModel::number(int row, int column) const {
  const auto at = static_cast<std::size_t>(row);
  if (column == predicted_kl) return choices_[at].kl;
  if (column == size) return choices_[at].bytes;
  if (measured_[at]) return measured_[at]->kl;
  return {};
}

QString FormatsModel::cell(int row, int column) const {
  const ExportChoice& choice = choices_[static_cast<std::size_t>(row)];
  switch (column) {
    case format:
      return title_in_words(choice);
    case opened_in:
      return opens_in(choice);
    case way:
      return way_in_words(choice);
    case policy:
      return written_policy(choice, wanted_);
    default: {
      const auto value = number(row, column);
      if (!value) return QStringLiteral("–");
      return column == size ? bytes_text(*value) : number_text(*value);
    }
  }
}

QString FormatsModel::tip(int row, int column) const {
  const ExportChoice& choice = choices_[static_cast<std::size_t>(row)];
  if (const auto& found = measured_[static_cast<std::size_t>(row)]; column == measured_kl && found)
    return found->source;
  if (column == policy && choice.activated_fraction)
    return tr("Runs %1 of the parameters (predicted)").arg(percent_text(*choice.activated_fraction));
  return choice.reason;
}

QVariant FormatsModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const int row = index.row(), column = index.column();
  switch (role) {
    case Qt::DisplayRole:
      return cell(row, column);
    case Qt::ToolTipRole:
      return tip(row, column);
    case Qt::TextAlignmentRole:
      return alignment(column);
    case Qt::ForegroundRole:
      return choices_[static_cast<std::size_t>(row)].possible ? QVariant() : QVariant(theme_.faint);
    case Qt::FontRole:
      if (column == measured_kl) {
        QFont bold;
        bold.setBold(true);
        return bold;
      }
      return {};
    case sort_role:
      if (!is_number(column)) return cell(row, column);
      return number(row, column).value_or(std::numeric_limits<double>::infinity());
    default:
      return {};
  }
}

QVariant FormatsModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= column_count) return {};
  return header_of(column_texts[section], staticMetaObject, alignment(section), role);
}

}  // namespace ladimo::ui
