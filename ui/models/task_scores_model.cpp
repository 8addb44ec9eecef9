#include "ui/models/task_scores_model.h"

#include <QStringList>

#include "ui/models/column_text.h"
#include "ui/models/numbers.h"

namespace ladimo::ui {
namespace {

constexpr ColumnText column_texts[TaskScoresModel::column_count] = {
    {QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel", "Task"),
     QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel", "The file of questions")},
    {QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel", "Answer chosen by"),
     QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel",
                       "The answer is the most probable choice (acc in lm-eval), or the most probable one "
                       "per character (acc_norm), which does not favour short choices")},
    {QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel", "Questions"), ""},
    {QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel", "Original\n% correct"),
     QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel",
                       "Questions that the original answers correctly, ± standard error")},
    {QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel", "Converted\n% correct"),
     QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel",
                       "Questions that the converted model answers correctly, ± standard error")},
    {QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel", "Difference\npoints"),
     QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel",
                       "Converted minus original, ± standard error of the difference. It is smaller than the "
                       "errors of the two shares, because both models find the same questions hard")},
    {QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel", "p"),
     QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel",
                       "How often two equally good models differ at least this much: McNemar's exact test on "
                       "the questions that only one model answers correctly")},
    {QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel", "Result"),
     QT_TRANSLATE_NOOP("ladimo::ui::TaskScoresModel",
                       "A difference counts as significant if p is below 0.05")},
};

std::string cell(const TaskScore& score, int column) {
  switch (column) {
    case TaskScoresModel::task:
      return score.task;
    case TaskScoresModel::chosen:
      return chosen_by(score);
    case TaskScoresModel::questions:
      return grouped(score.n).toStdString();
    case TaskScoresModel::dense:
      return score.before ? share_text(score.before->dense) : std::string();
    case TaskScoresModel::converted:
      return share_text(score.model);
    case TaskScoresModel::difference:
      return difference_text(score);
    case TaskScoresModel::p:
      return p_text(score);
    default:
      return verdict(score);
  }
}

int alignment(int column) {
  const bool words = column == TaskScoresModel::task || column == TaskScoresModel::chosen ||
                     column == TaskScoresModel::shown;
  return (words ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter;
}

}  // namespace

void TaskScoresModel::set_tasks(const std::vector<TaskResult>& tasks) {
  beginResetModel();
  scores_.clear();
  for (const TaskResult& result : tasks)
    for (TaskScore& score : task_scores(result)) scores_.push_back(std::move(score));
  endResetModel();
}

int TaskScoresModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(scores_.size());
}

int TaskScoresModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : column_count;
}

QVariant TaskScoresModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const TaskScore& score = scores_[static_cast<std::size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      return QString::fromStdString(cell(score, index.column()));
    case Qt::ToolTipRole:
      return QString::fromStdString(sentence(score));
    case Qt::TextAlignmentRole:
      return alignment(index.column());
    default:
      return {};
  }
}

QVariant TaskScoresModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= column_count) return {};
  return header_of(column_texts[section], staticMetaObject, alignment(section), role);
}

QString tasks_in_sentences(const std::vector<TaskResult>& tasks) {
  QStringList lines;
  for (const TaskResult& task : tasks) {
    lines << QString::fromStdString(sentence(task_scores(task).front()));
    if (const auto remark = seen_remark(task); !remark.empty()) lines << QString::fromStdString(remark);
  }
  return lines.join('\n');
}

QString tasks_in_short(const std::vector<TaskResult>& tasks) {
  QStringList parts;
  for (const TaskResult& task : tasks) {
    const TaskScore score = task_scores(task).front();
    parts << QString::fromStdString(score.task + ' ' +
                                    (score.before ? points(score.difference()) : share_text(score.model)));
  }
  return parts.join(QStringLiteral(" · "));
}

}  // namespace ladimo::ui
