// An open run: what it is, the table of its layers, the selected layer's routing weights, what its policy
// costs.
#pragma once

#include <vector>

#include <QWidget>

#include "ui/models/run_summary.h"

class QLabel;
class QSortFilterProxyModel;
class QSplitter;
class QTableView;

namespace ladimo::ui {

class LayerTableModel;
class RoutingPlot;

class RunPage : public QWidget {
  Q_OBJECT
 public:
  explicit RunPage(QWidget* parent = nullptr);
  void show_run(RunSummary run);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void make_table();
  void fit_table();
  void select_layer();
  void copy_table();
  void save_table();
  void recolour();

  RunSummary run_;
  LayerTableModel* layers_;
  QSortFilterProxyModel* sorted_;
  QLabel* title_;
  QLabel* description_;
  QSplitter* split_;
  QTableView* table_;
  RoutingPlot* plot_;
  QLabel* consequences_;
};

}  // namespace ladimo::ui
