#include "ui/panels/task_results.h"

#include <algorithm>

#include <QHBoxLayout>
#include <QScrollArea>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/models/task_scores_model.h"
#include "ui/widgets/help_mark.h"
#include "ui/widgets/note.h"
#include "ui/widgets/scrolling.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/table_actions.h"

namespace ladimo::ui {
namespace {

constexpr int most_lines = 8;  // that are visible at once

}  // namespace

TaskResults::TaskResults(QWidget* parent)
    : QWidget(parent),
      scores_(new TaskScoresModel(this)),
      sentences_(new Note(Note::Kind::plain)),
      lines_(scrolling(sentences_)),
      table_(new QTableView) {
  const int space = spacing(*this);
  sentences_->setObjectName(QStringLiteral("task_sentences"));
  sentences_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
  table_->setObjectName(QStringLiteral("task_scores"));
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, space, 0, 0);
  layout->setSpacing(space);
  auto* top = new QHBoxLayout;
  top->addWidget(lines_, 1);
  top->addWidget(new HelpMark(Help::tasks, *this), 0, Qt::AlignTop);
  layout->addLayout(top);
  layout->addWidget(table_, 1);
  show_tasks({});
}

void TaskResults::show_tasks(const std::vector<TaskResult>& tasks) {
  scores_->set_tasks(tasks);
  fit_columns(*table_);
  table_->setVisible(!tasks.empty());
  sentences_->setWordWrap(tasks.empty());
  lines_->setMinimumHeight(0);
  lines_->setMaximumHeight(QWIDGETSIZE_MAX);
  if (tasks.empty()) {
    sentences_->say(
        Note::Kind::faint,
        tr("Accuracy on multiple-choice questions appears here. Choose task files above and press Measure."));
  } else {
    sentences_->say(Note::Kind::plain, tasks_in_sentences(tasks));
    lines_->setFixedHeight(std::min(sentences_->sizeHint().height(), most_lines * 2 * spacing(*this)));
  }
}

}  // namespace ladimo::ui
