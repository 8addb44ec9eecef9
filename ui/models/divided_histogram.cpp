#include "ui/models/divided_histogram.h"

#include <algorithm>
#include <numeric>

namespace ladimo::ui {
namespace {

using Rule = Division::Rule;

double running_of(const HistogramCounts& counts, const Division& division, bool strongest) {
  switch (division.rule) {
    case Rule::none:
    case Rule::unused:
      return 0;
    case Rule::threshold:
      // Weights below the bins are not told apart.
      if (division.edge >= histogram_low) return share_above(counts, division.edge);
      return strongest ? 1 : division.running;
    case Rule::strongest:
      return strongest ? 1 : division.running;
    case Rule::unknown:
    case Rule::all:
      break;
  }
  return 1;
}

}  // namespace

double total_of(const HistogramCounts& counts) { return std::accumulate(counts.begin(), counts.end(), 0.0); }

DividedHistogram::DividedHistogram(const HistogramCounts& counts, const Division& division, Of of)
    : counts_(counts),
      edge_(division.has_edge() ? division.edge : 0),
      total_(total_of(counts)),
      running_(running_of(counts, division, of == Of::strongest)),
      only_running_(of == Of::running && division.rule != Rule::unused && division.rule != Rule::unknown) {}

double DividedHistogram::percent(double share) const {
  const double shown = only_running_ ? running_ : 1;
  return shown > 0 ? 100 * share / shown : 0;
}

double DividedHistogram::percent_of_bin(int bin) const {
  if (total_ <= 0 || (only_running_ && histogram_edge(bin + 1) <= edge_)) return 0;
  return percent(static_cast<double>(counts_[static_cast<std::size_t>(bin)]) / total_);
}

DividedHistogram::Outside DividedHistogram::below(double weight) const {
  const double above = share_above(counts_, weight), runs = std::max(0.0, running_ - above);
  return {percent(only_running_ ? runs : 1 - above), percent(runs)};
}

DividedHistogram::Outside DividedHistogram::above(double weight) const {
  const double beyond = weight < histogram_high ? share_above(counts_, weight)
                                                : static_cast<double>(counts_.back()) / std::max(total_, 1.0);
  const double runs = std::min(running_, beyond);
  return {percent(only_running_ ? runs : beyond), percent(runs)};
}

}  // namespace ladimo::ui
