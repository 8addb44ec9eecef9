// The preflight as a checklist: what was checked, what is wrong and what to do about it.
#pragma once

#include <vector>

#include <QAbstractListModel>

#include "base/error.h"
#include "ui/models/theme.h"

namespace ladimo::ui {

struct Check {
  enum class State { fine, noted, wrong, running };
  State state = State::fine;
  QString sentence;
  QString hint = {};  // what to do, and the path if there is one
};

/// A check that failed, or one that was passed although there is something to know (a warning).
Check failed_check(const Problem& problem);
Check noted_check(const Problem& warning);

class CheckListModel : public QAbstractListModel {
  Q_OBJECT
 public:
  using QAbstractListModel::QAbstractListModel;

  void set_checks(std::vector<Check> checks);
  void set_theme(const Theme& theme);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  std::vector<Check> checks_;
  Theme theme_;
};

}  // namespace ladimo::ui
