// The axis of weights: linear in log10 of the weight, so that all bins of a histogram are equally wide.
#pragma once

#include <QSharedPointer>

#include "policy/histogram.h"

class QCPAxis;
class QCPAxisTicker;

namespace ladimo::ui {

/// The ends of the histograms' bins and the width of one, on the axis.
double lowest_log_weight();
double highest_log_weight();
double log_bin_width();
/// The middle of bin 1 ... histogram_bins on the axis.
double log_centre_of(int bin);

/// The part of the axis that holds the weights without the smallest 0.5 % and the largest 0.02 % of them.
struct LogRange {
  double left = 0, right = 0;
};
LogRange log_range_of(const HistogramCounts& counts);

/// Labels are the weights: powers of ten, and three times these where there is room. `axis` must outlive it.
QSharedPointer<QCPAxisTicker> weight_ticker(const QCPAxis& axis);

}  // namespace ladimo::ui
