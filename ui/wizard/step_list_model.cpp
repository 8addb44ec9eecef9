#include "ui/wizard/step_list_model.h"

#include <QFont>

#include "ui/models/numbers.h"

namespace ladimo::ui {

QString step_title(Step step) { return QObject::tr(title_of(step)); }

StepListModel::StepListModel(bool sentences, QObject* parent)
    : QAbstractTableModel(parent), sentences_(sentences) {}

void StepListModel::set_steps(const std::vector<StepState>& steps) {
  if (steps.size() == steps_.size()) {  // no reset: selection and scroll position must stay
    steps_ = steps;
    if (!steps_.empty()) emit dataChanged(index(0, 0), index(rowCount() - 1, column_count - 1));
    return;
  }
  beginResetModel();
  steps_ = steps;
  endResetModel();
}

void StepListModel::set_theme(const Theme& theme) {
  theme_ = theme;
  if (!steps_.empty()) emit dataChanged(index(0, 0), index(rowCount() - 1, column_count - 1));
}

int StepListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(steps_.size());
}

int StepListModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int{column_count};
}

QString StepListModel::text(const StepState& step, int column) const {
  using enum StepState::Status;
  if (column == status)
    return step.status == done      ? QStringLiteral("✓")
           : step.status == running ? QStringLiteral("▸")
                                    : QStringLiteral("·");
  if (column == name)
    return sentences_ ? QString::fromStdString(step.plan.description) : step_title(step.plan.step);
  if (step.status == waiting) return about(step.plan.seconds);
  return step.seconds > 0 || step.status == running ? whole_seconds(step.seconds) : tr("done");
}

QVariant StepListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const StepState& step = steps_[static_cast<std::size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      return text(step, index.column());
    case Qt::ToolTipRole:
      return QString::fromStdString(step.plan.description);
    case Qt::TextAlignmentRole:
      return int(Qt::AlignVCenter | (index.column() == time ? Qt::AlignRight : Qt::AlignLeft));
    case Qt::ForegroundRole:
      return step.status == StepState::Status::waiting && !sentences_ ? theme_.faint : theme_.text;
    case Qt::FontRole: {
      QFont font;
      font.setBold(step.status == StepState::Status::running);
      return font;
    }
    default:
      return {};
  }
}

QVariant StepListModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole)
    return int(Qt::AlignVCenter | (section == time ? Qt::AlignRight : Qt::AlignLeft));
  if (role != Qt::DisplayRole) return {};
  static const char* const titles[] = {"", QT_TR_NOOP("Step"), QT_TR_NOOP("Time")};
  return section == status ? QString() : tr(titles[section]);
}

}  // namespace ladimo::ui
