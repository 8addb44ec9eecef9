// Two runs side by side, fact by fact.
#pragma once

#include <array>
#include <memory>
#include <utility>

#include <QAbstractTableModel>
#include <QStringList>

#include "policy/frontier.h"
#include "ui/models/run_data.h"

namespace ladimo::ui {

/// A finished run with its best policies for every share of activated parameters, which take a moment to
/// solve.
struct ComparedRun {
  explicit ComparedRun(std::shared_ptr<const RunData> which)
      : run(std::move(which)), frontier(*run->tradeoff, nullptr, Cost::activated) {}

  std::shared_ptr<const RunData> run;
  Frontier frontier;
};

/// What a person must know before comparing the numbers of two runs, one sentence each: other models, other
/// text. Empty where the numbers can be compared.
QStringList cautions(const RunData& a, const RunData& b);

/// Names under which two runs can be told apart: those of their folders, or their paths where those are
/// equal.
std::array<QString, 2> names_of(const RunData& a, const RunData& b);

/// One row for each fact: its name, and what it is in either run. Rows in which the runs differ are bold.
class RunComparison : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { name, first, second, column_count };
  static constexpr int differs_role = Qt::UserRole;  // bool

  RunComparison(const ComparedRun& a, const ComparedRun& b, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  using Row = std::array<QString, column_count>;

  std::vector<Row> rows_;
  std::array<QString, 2> names_;
};

}  // namespace ladimo::ui
