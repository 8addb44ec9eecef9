// Whether the labels of an axis stand apart.
#pragma once

#include <QFontMetricsF>

#include <qcustomplot.h>

namespace ladimo::ui {

/// Whether no label of this horizontal axis touches the next one, as the plot was drawn last.
inline bool labels_are_apart(const QCPAxis& axis) {
  const QFontMetricsF metrics(axis.tickLabelFont());
  double end = -1e9;
  for (int i = 0; i < axis.tickVector().size(); ++i) {
    const double middle = axis.coordToPixel(axis.tickVector()[i]);
    const double half = metrics.horizontalAdvance(axis.tickVectorLabels()[i]) / 2;
    if (middle - half <= end) return false;
    end = middle + half;
  }
  return true;
}

}  // namespace ladimo::ui
