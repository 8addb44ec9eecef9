// The histogram of one layer's routing weights, with the threshold that decides which experts run.
#pragma once

#include <QWidget>

#include "ui/models/run_summary.h"

class QCPBars;
class QCPItemStraightLine;
class QCustomPlot;
class QLabel;

namespace ladimo::ui {

class RoutingPlot : public QWidget {
  Q_OBJECT
 public:
  explicit RoutingPlot(QWidget* parent = nullptr);

  void show_layer(const LayerRow& row);
  void show_nothing();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void recolour();
  void draw(const HistogramCounts& counts, double threshold);

  QLabel* title_;
  QCustomPlot* plot_;
  QLabel* caption_;
  QCPBars* skipped_;  // weights below the threshold
  QCPBars* on_;
  QCPItemStraightLine* threshold_;
};

}  // namespace ladimo::ui
