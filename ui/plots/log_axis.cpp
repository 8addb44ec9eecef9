#include "ui/plots/log_axis.h"

#include <cmath>

#include <qcustomplot.h>

namespace ladimo::ui {

void set_log_axis(QCPAxis& axis, double low, double high) {
  axis.setScaleType(QCPAxis::stLogarithmic);
  axis.setTicker(QSharedPointer<QCPAxisTickerLog>::create());
  axis.setNumberFormat(QStringLiteral("eb"));
  axis.setNumberPrecision(0);
  const double bottom = std::floor(std::log10(low)), top = std::ceil(std::log10(high));
  axis.setRange(std::pow(10, bottom), std::pow(10, top > bottom ? top : bottom + 1));
}

}  // namespace ladimo::ui
