#include "ui/plots/tick_room.h"

#include <algorithm>

#include <QFontMetricsF>

#include <qcustomplot.h>

namespace ladimo::ui {

double label_share(const QCPAxis& axis, const QString& text) {
  const QFontMetricsF metrics(axis.tickLabelFont());
  const double needed = metrics.horizontalAdvance(text) + metrics.averageCharWidth();
  return std::min(1.0, needed / std::max(1, axis.axisRect()->width()));
}

}  // namespace ladimo::ui
