#include "ui/wizard/check_list_model.h"

#include "ui/engine/lexicon.h"

namespace ladimo::ui {
namespace {

QString mark(Check::State state) {
  switch (state) {
    case Check::State::fine:
      return QStringLiteral("✓");
    case Check::State::noted:
      return QStringLiteral("⚠");
    case Check::State::wrong:
      return QStringLiteral("✗");
    case Check::State::running:
      return QStringLiteral("…");
  }
  return {};
}

Check check_in_words(Check::State state, const Problem& problem) {
  const QString sentence = QString::fromStdString(problem.message);
  const QString path = QString::fromStdString(problem.path.string());
  QStringList advice{in_window_words(problem.hint)};
  if (!sentence.contains(path)) advice << path;
  advice.removeAll(QString());
  return {state, sentence, advice.join(QStringLiteral("\n"))};
}

}  // namespace

Check failed_check(const Problem& problem) { return check_in_words(Check::State::wrong, problem); }
Check noted_check(const Problem& warning) { return check_in_words(Check::State::noted, warning); }

void CheckListModel::set_checks(std::vector<Check> checks) {
  beginResetModel();
  checks_ = std::move(checks);
  endResetModel();
}

void CheckListModel::set_theme(const Theme& theme) {
  theme_ = theme;
  if (!checks_.empty()) emit dataChanged(index(0), index(rowCount() - 1), {Qt::ForegroundRole});
}

int CheckListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(checks_.size());
}

QVariant CheckListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const Check& check = checks_[static_cast<std::size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole: {
      const QString line = mark(check.state) + QStringLiteral("  ") + check.sentence;
      return check.hint.isEmpty()
                 ? line
                 : line + QStringLiteral("\n    ") +
                       QString(check.hint).replace(QStringLiteral("\n"), QStringLiteral("\n    "));
    }
    case Qt::ToolTipRole:
      return check.hint;
    case Qt::ForegroundRole:
      return check.state == Check::State::wrong     ? theme_.error
             : check.state == Check::State::running ? theme_.faint
                                                    : theme_.text;
    default:
      return {};
  }
}

QVariant CheckListModel::headerData(int, Qt::Orientation, int role) const {
  return role == Qt::DisplayRole ? tr("Checks") : QVariant();
}

}  // namespace ladimo::ui
