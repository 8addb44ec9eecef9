// A histogram of weights, of which a part runs: heights of bars and what lies outside an axis.
#pragma once

#include "policy/histogram.h"
#include "ui/models/division.h"

namespace ladimo::ui {

class DividedHistogram {
 public:
  enum class Of { all, strongest, running };  // the strongest of each token; those that run

  /// `counts` must outlive it.
  DividedHistogram(const HistogramCounts& counts, const Division& division, Of of);

  /// The share of the weights that run.
  double running() const { return running_; }
  /// Whether only weights that run are shown. In a dense layer those would be none, so that all are.
  bool only_running() const { return only_running_; }
  /// The height of bar 1 ... histogram_bins, in per cent of the weights that are shown.
  double percent_of_bin(int bin) const;

  /// What lies beyond an end of the axis, in per cent of the weights that are shown.
  struct Outside {
    double percent = 0, running = 0;
  };
  Outside below(double weight) const;
  Outside above(double weight) const;

 private:
  double percent(double share) const;

  const HistogramCounts& counts_;
  double edge_;  // bins below run not
  double total_;
  double running_;
  bool only_running_;
};

double total_of(const HistogramCounts& counts);

}  // namespace ladimo::ui
