#include "ui/plots/tick_room.h"

#include <algorithm>

#include <QFontMetricsF>

#include <qcustomplot.h>

namespace ladimo::ui {
namespace {

class WholeNumbers : public QCPAxisTickerFixed {
 public:
  explicit WholeNumbers(const QCPAxis& axis) : axis_(axis) {
    setTickStep(1);
    setScaleStrategy(ssMultiples);
  }

 protected:
  double getTickStep(const QCPRange& range) override {
    setTickCount(std::clamp(room(range), 1, most_labels));
    return QCPAxisTickerFixed::getTickStep(range);
  }
  // An axis may begin below its first row.
  QVector<double> createTickVector(double step, const QCPRange& range) override {
    return QCPAxisTickerFixed::createTickVector(step, {std::max(range.lower, 0.0), range.upper});
  }

 private:
  static constexpr int most_labels = 5;

  int room(const QCPRange& range) const {
    if (axis_.orientation() == Qt::Horizontal)
      return static_cast<int>(1 / label_share(axis_, QString::number(static_cast<int>(range.upper))));
    return static_cast<int>(axis_.axisRect()->height() / (2 * QFontMetricsF(axis_.tickLabelFont()).height()));
  }

  const QCPAxis& axis_;
};

}  // namespace

double label_share(const QCPAxis& axis, const QString& text) {
  const QFontMetricsF metrics(axis.tickLabelFont());
  const double needed = metrics.horizontalAdvance(text) + metrics.averageCharWidth();
  return std::min(1.0, needed / std::max(1, axis.axisRect()->width()));
}

QSharedPointer<QCPAxisTicker> whole_number_ticker(const QCPAxis& axis) {
  return QSharedPointer<QCPAxisTicker>(static_cast<QCPAxisTicker*>(new WholeNumbers(axis)));
}

}  // namespace ladimo::ui
