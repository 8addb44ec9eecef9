#include "ui/plots/weight_axis.h"

#include <algorithm>
#include <cmath>

#include <qcustomplot.h>

#include "ui/models/divided_histogram.h"
#include "ui/plots/tick_room.h"

namespace ladimo::ui {
namespace {

QString weight_at(double log_weight) {
  const int decade = static_cast<int>(std::floor(log_weight + 0.01));
  return QString::number(std::pow(10.0, log_weight), 'f', std::max(0, -decade));
}

class WeightTicker : public QCPAxisTicker {
 public:
  explicit WeightTicker(const QCPAxis& axis) : axis_(axis) {}

 protected:
  QVector<double> createTickVector(double, const QCPRange& range) override {
    const double third = std::log10(3.0), first = std::ceil(range.lower);
    // The smallest weights have the longest labels.
    const auto needed = [&](double weight) { return label_share(axis_, weight_at(weight)) * range.size(); };
    const bool thirds = needed(range.lower) < third;
    const int stride =
        std::max(1, static_cast<int>(std::ceil((needed(first) + needed(first + 1)) / 2)));  // half of each
    QVector<double> ticks;
    for (int decade = static_cast<int>(first) - 1; decade <= static_cast<int>(highest_log_weight());
         ++decade) {
      if (decade % stride == 0) ticks << decade;
      if (thirds) ticks << decade + third;
    }
    return ticks;
  }
  int getSubTickCount(double) override { return 0; }
  QString getTickLabel(double tick, const QLocale&, QChar, int) override { return weight_at(tick); }

 private:
  const QCPAxis& axis_;
};

}  // namespace

double lowest_log_weight() { return std::log10(histogram_low); }
double highest_log_weight() { return std::log10(histogram_high); }
double log_bin_width() { return (highest_log_weight() - lowest_log_weight()) / histogram_bins; }
double log_centre_of(int bin) { return lowest_log_weight() + (bin - 0.5) * log_bin_width(); }

LogRange log_range_of(const HistogramCounts& counts) {
  LogRange range{highest_log_weight(), lowest_log_weight()};
  const double total = total_of(counts), below = static_cast<double>(counts.front());
  double above = total - below;  // weights at or above the bin
  for (int bin = 1; bin <= histogram_bins; ++bin) {
    const double edge = std::log10(histogram_edge(bin));
    if (above < 0.995 * (total - below)) range.left = std::min(range.left, edge - log_bin_width());
    if (above > 0.0002 * total) range.right = edge + log_bin_width();
    above -= static_cast<double>(counts[static_cast<std::size_t>(bin)]);
  }
  range.left = std::max(range.left, lowest_log_weight());
  range.right = std::clamp(range.right, range.left + log_bin_width(), highest_log_weight());
  return range;
}

QSharedPointer<QCPAxisTicker> weight_ticker(const QCPAxis& axis) {
  return QSharedPointer<QCPAxisTicker>(static_cast<QCPAxisTicker*>(new WeightTicker(axis)));
}

}  // namespace ladimo::ui
