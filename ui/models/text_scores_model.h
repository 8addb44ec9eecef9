// The scores of an evaluation as a table, one row for each text.
#pragma once

#include <vector>

#include <QAbstractTableModel>

#include "run/measurement.h"

namespace ladimo::ui {

class TextScoresModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { text, tokens, kl, median, p99, dense_perplexity, perplexity, same_top, column_count };
  static constexpr int sort_role = Qt::UserRole;

  using QAbstractTableModel::QAbstractTableModel;

  void set_scores(std::vector<TextEvaluation::Domain> scores);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  std::vector<TextEvaluation::Domain> scores_;
};

/// The value of one of `kl_percents`, nats per token.
double percentile(const KlPercentiles& percentiles, int percent);
/// The scores of a measurement over all its texts together; their path is empty.
TextEvaluation::Domain scores_of(const Measurement& measurement);

}  // namespace ladimo::ui
