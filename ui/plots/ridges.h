// Draws histograms one below the other. Each is as high as almost two rows, so that they overlap.
#pragma once

#include <vector>

#include <QPolygonF>

#include <qcustomplot.h>

#include "policy/histogram.h"
#include "ui/models/division.h"
#include "ui/models/theme.h"

namespace ladimo::ui {

class Ridges : public QCPAbstractItem {
 public:
  explicit Ridges(QCustomPlot& plot) : QCPAbstractItem(&plot) {}

  void set_counts(const std::vector<HistogramCounts>& layers);
  void set_divisions(const std::vector<Division>& divisions) { divisions_ = divisions; }
  void set_theme(const Theme& theme) { theme_ = theme; }
  int layers() const { return static_cast<int>(shapes_.size()); }

  double selectTest(const QPointF&, bool, QVariant*) const override { return -1; }

 protected:
  void draw(QCPPainter* painter) override;

 private:
  /// Points of the outline: the place on the axis, and the height, of which the highest is 1.
  using Shape = std::vector<QPointF>;
  void draw_layer(QCPPainter& painter, int layer) const;
  QPolygonF outline(int layer, double from, double to) const;
  double base_of(int layer) const;
  double place_of_edge(const Division& division) const;

  std::vector<Shape> shapes_;
  std::vector<Division> divisions_;
  Theme theme_;
};

}  // namespace ladimo::ui
