// An evaluation, text by text.
#pragma once

#include <vector>

#include <QAbstractTableModel>

#include "ui/models/evaluation_result.h"

namespace ladimo::ui {

class TextScoresModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { text, tokens, kl, median, p99, dense_perplexity, perplexity, same_top, column_count };
  static constexpr int sort_role = Qt::UserRole;

  using QAbstractTableModel::QAbstractTableModel;

  void set_scores(std::vector<TextScore> scores);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  std::vector<TextScore> scores_;
};

}  // namespace ladimo::ui
