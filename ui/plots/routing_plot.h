// The histogram of routing weights over log10 of the weight, with the threshold as a line to drag. What the
// policy lets run is coloured. The wizard fills it while the engine works, without a policy.
#pragma once

#include <memory>
#include <optional>

#include "policy/histogram.h"
#include "ui/models/division.h"
#include "ui/plots/plot.h"

class QCheckBox;
class QComboBox;
class QCPBars;
class QCPGraph;

namespace ladimo::ui {

class DividedHistogram;
class OutsideBar;
class ThresholdLine;

class RoutingPlot : public Plot {
  Q_OBJECT
 public:
  enum class View { all, top1, selected };

  explicit RoutingPlot(QWidget* parent = nullptr);
  ~RoutingPlot() override;

  /// `top1` counts the largest weight of each token, if that is known. Empty counts show the empty state.
  void set_counts(HistogramCounts all, HistogramCounts top1 = {});
  /// Says what is weighed: the title, the label of the axis, and the tooltip. By default the router's
  /// experts.
  /// `counted`: what the histogram counts, such as "weights".
  void set_words(const QString& title, const QString& axis, const QString& counted, const QString& tip);
  void set_words_of_experts();
  /// Shows what the policy lets run. Where no threshold decides, the line is dashed; dragging it makes it
  /// decide.
  void set_division(const Division& division);
  /// The threshold that decides; none while the line is dashed.
  std::optional<double> threshold() const;
  void set_view(View view);
  void set_log_counts(bool log);

  Rows numbers() const override;

 signals:
  /// The person moves the threshold (`changed`) or lets it go (`committed`).
  void changed(double threshold);
  void committed(double threshold);

 protected:
  void recolour(const Theme& theme) override;
  QString read_out(double x, double y) const override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void make_controls();
  const HistogramCounts& counts() const;
  DividedHistogram shown() const;
  void draw();
  void fit_ends();
  void fit_range();
  double outside_width() const;
  void place_outside();
  /// Whether the line is outside the visible range, where nobody could drag it.
  bool leaves_axis() const;
  double place_of_line() const;
  void place_line();
  QString read_outside(double x) const;
  void move_threshold(double log_weight);
  bool mouse_event(QEvent* event);
  bool key_event(QEvent* event);

  HistogramCounts all_, top1_;
  Division division_;
  View view_ = View::all;
  bool log_ = false;
  QString counted_;  // "weights"
  bool dragging_ = false;
  double left_ = 0, right_ = 0;  // ends of the bins that are shown, on the axis

  QComboBox* views_;
  QCheckBox* log_counts_;
  QCPBars* bars_;
  QCPGraph* above_;                             // share of the weights at or above x
  std::unique_ptr<OutsideBar> below_, beyond_;  // what lies outside the axis
  std::unique_ptr<ThresholdLine> line_;
};

}  // namespace ladimo::ui
