// The layers of a run as a table: what each costs, what it changes, how its policy reads in words.
#pragma once

#include <vector>

#include <QAbstractTableModel>

#include "ui/models/run_summary.h"
#include "ui/plots/theme.h"

namespace ladimo::ui {

class LayerTableModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { layer, policy, experts_on, kl, activated, loss_before, loss_after, column_count };
  /// The value to sort by: a number, whatever the text says. Missing numbers are infinite, so they come last.
  static constexpr int sort_role = Qt::UserRole;

  using QAbstractTableModel::QAbstractTableModel;

  void set_layers(std::vector<LayerRow> layers);
  void set_theme(const Theme& theme);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  QVariant decoration(const LayerRow& row) const;

  std::vector<LayerRow> layers_;
  Theme theme_;
};

}  // namespace ladimo::ui
