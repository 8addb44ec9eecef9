// The histogram of routing weights over log10 of the weight, with the threshold as a line to drag. The wizard
// fills it while the engine works; the workspace also gives it a threshold.
#pragma once

#include <memory>
#include <optional>

#include "policy/histogram.h"
#include "ui/plots/plot.h"

class QCheckBox;
class QComboBox;
class QCPBars;
class QCPGraph;

namespace ladimo::ui {

class ThresholdLine;

class RoutingPlot : public Plot {
  Q_OBJECT
 public:
  enum class View { all, top1, selected };

  explicit RoutingPlot(QWidget* parent = nullptr);
  ~RoutingPlot() override;

  /// `top1` counts the largest weight of each token, if that is known. Empty counts show the empty state.
  void set_counts(HistogramCounts all, HistogramCounts top1 = {});
  /// Says what is weighed: the label of the axis, and the tooltip. By default the router's experts.
  void set_words(const QString& axis, const QString& tip);
  void set_words_of_experts();
  /// Shows the threshold that decides which experts run, or no line.
  void set_threshold(std::optional<double> threshold);
  /// Shows a dashed line with `words` beside it while no threshold decides. Dragging it makes it decide. 0
  /// puts it at the left edge.
  void set_resting_line(double threshold, const QString& words);
  /// The threshold that decides; none while the line is dashed.
  std::optional<double> threshold() const { return resting_.isEmpty() ? threshold_ : std::nullopt; }
  /// Dims all weights because none of them decides anything, as in a dense layer.
  void set_idle(bool idle);
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
  std::optional<double> least_shown() const;
  double percent_shown(int bin) const;
  void draw();
  void fit_range();
  void set_line(std::optional<double> threshold, const QString& resting);
  /// Whether the line is outside the visible range, where nobody could drag it.
  bool leaves_axis() const;
  void place_line();
  void move_threshold(double log_weight);
  bool mouse_event(QEvent* event);
  bool key_event(QEvent* event);

  HistogramCounts all_, top1_;
  std::optional<double> threshold_;  // position of the line, dashed or not
  QString resting_;                  // label of the dashed line; empty: the line decides
  View view_ = View::all;
  bool log_ = false;
  bool idle_ = false;
  bool dragging_ = false;

  QComboBox* views_;
  QCheckBox* log_counts_;
  QCPBars* bars_;
  QCPGraph* above_;  // share of the weights at or above x
  std::unique_ptr<ThresholdLine> line_;
};

}  // namespace ladimo::ui
