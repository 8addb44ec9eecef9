// The histograms of all layers as ridges, one below the other, with what each layer's policy lets run. A
// click selects a layer.
#pragma once

#include <vector>

#include "policy/histogram.h"
#include "ui/models/division.h"
#include "ui/plots/plot.h"
#include "ui/plots/row_frame.h"

namespace ladimo::ui {

class Ridges;

class RidgePlot : public Plot {
  Q_OBJECT
 public:
  explicit RidgePlot(QWidget* parent = nullptr);

  /// Sets the shapes. A layer without a histogram has empty counts.
  void set_counts(std::vector<HistogramCounts> layers, const QString& axis);
  /// What runs in each layer.
  void set_divisions(std::vector<Division> divisions);
  /// Frames a layer; -1 removes the frame.
  void set_row(int layer);

  Rows numbers() const override;

 signals:
  void row_clicked(int layer);

 protected:
  void recolour(const Theme& theme) override;
  QString read_out(double x, double y) const override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  int layer_at(double x, double y) const;

  std::vector<Division> divisions_;
  Ridges* ridges_;
  RowFrame frame_{canvas()};
};

}  // namespace ladimo::ui
