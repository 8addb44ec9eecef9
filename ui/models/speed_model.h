// What `ladimo bench` found, as a table and in words.
#pragma once

#include <optional>

#include <QAbstractTableModel>

#include "run/bench_result.h"

namespace ladimo::ui {

/// One row for decoding and one for reading a prompt.
class SpeedModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { work, dense, converted, ratio, spread, tokens, column_count };

  using QAbstractTableModel::QAbstractTableModel;
  void set_result(std::optional<BenchResult> result);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  std::optional<BenchResult> result_;
};

/// Whether the converted model is faster, and what limits it. A difference within the spread counts as none.
QString speed_in_words(const BenchResult& result);

}  // namespace ladimo::ui
