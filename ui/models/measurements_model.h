// The measurements of a run as a table, newest first.
#pragma once

#include <vector>

#include <QAbstractTableModel>

#include "run/measurement.h"

namespace ladimo::ui {

class MeasurementsModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column {
    date,
    text,
    tasks,
    policy,
    tokens,
    kl,
    predicted_kl,
    perplexity,
    dense_perplexity,
    same_top,
    activated,
    ffn_activated,
    machine,
    column_count
  };
  /// The value to sort by: a number where the cell shows one.
  static constexpr int sort_role = Qt::UserRole;

  using QAbstractTableModel::QAbstractTableModel;

  /// `measurements`: oldest first.
  void set_measurements(std::vector<Measurement> measurements);
  const Measurement& at(int row) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  std::vector<Measurement> measurements_;
};

/// "stories-dev.txt, books-dev.txt", or words for the run's own split and for no text.
QString text_in_words(const Measurement& measurement);
/// "2026-11-23 21:40" in local time.
QString date_in_words(const std::string& iso_date);
/// "1 dense · 4 threshold · 1 top-k".
QString kinds_in_words(const std::vector<LayerPolicy>& layers);

}  // namespace ladimo::ui
