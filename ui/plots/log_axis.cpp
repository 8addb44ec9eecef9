#include "ui/plots/log_axis.h"

#include <algorithm>
#include <cmath>

#include <qcustomplot.h>

namespace ladimo::ui {
namespace {

class LogTicker : public QCPAxisTicker {
 protected:
  QVector<double> createTickVector(double, const QCPRange& range) override {
    constexpr double few = 2.5, many = 7;
    const int first = static_cast<int>(std::floor(std::log10(range.lower)));
    const int last = static_cast<int>(std::ceil(std::log10(range.upper)));
    const double decades = std::log10(range.upper / range.lower);
    const int stride = decades > many ? static_cast<int>(std::ceil(decades / many)) : 1;
    QVector<double> ticks;
    for (int decade = first; decade <= last; decade += stride)
      for (const int step : {1, 2, 5})
        if (step == 1 || decades < few) ticks << step * std::pow(10.0, decade);
    return ticks;
  }
  int getSubTickCount(double) override { return 0; }
};

}  // namespace

QSharedPointer<QCPAxisTicker> log_ticker() {
  return QSharedPointer<QCPAxisTicker>(static_cast<QCPAxisTicker*>(new LogTicker));
}

void set_log_axis(QCPAxis& axis, double low, double high) {
  axis.setScaleType(QCPAxis::stLogarithmic);
  axis.setTicker(log_ticker());
  axis.setNumberFormat(QStringLiteral("gb"));
  constexpr double margin = 1.25, least_ratio = 4;
  const double widen = margin * std::max(1.0, std::sqrt(least_ratio * low / high));
  axis.setRange(low / widen, high * widen);
}

}  // namespace ladimo::ui
