// The layers of a conversion as a table: state, loss before and after, time.
#pragma once

#include <vector>

#include <QAbstractTableModel>

#include "ui/models/theme.h"
#include "ui/wizard/conversion_state.h"

namespace ladimo::ui {

class LayerProgressModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { layer, status, loss_before, loss_after, seconds, column_count };

  using QAbstractTableModel::QAbstractTableModel;

  void set_layers(const std::vector<LayerState>& layers);
  void set_theme(const Theme& theme);
  int row_of(int layer) const;  // -1: not in the table
  int layer_at(int row) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  struct Row {
    int layer = 0;
    LayerState::Status status = LayerState::Status::waiting;
    QString what;
    std::optional<double> loss_before, loss_after;
    double seconds = 0;
    bool operator==(const Row&) const = default;
  };
  QString text(const Row& row, int column) const;

  std::vector<Row> rows_;
  Theme theme_;
};

}  // namespace ladimo::ui
