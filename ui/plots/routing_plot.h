// The histogram of routing weights over log10 of the weight, with the threshold that decides which experts
// run as a line to drag. Knows no policy: the wizard fills it live, the workspace gives it a threshold.
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

  /// `top1`: the largest weight of each token, where that is known. Empty counts show the empty state.
  void set_counts(HistogramCounts all, HistogramCounts top1 = {});
  /// The threshold that decides; none: no line.
  void set_threshold(std::optional<double> threshold);
  /// A line where nothing is decided by a threshold yet, dashed, with `words` beside it; dragging it makes it
  /// one that decides. 0: it waits at the left edge.
  void set_resting_line(double threshold, const QString& words);
  /// What decides; none while the line rests.
  std::optional<double> threshold() const { return resting_.isEmpty() ? threshold_ : std::nullopt; }
  /// Pale: none of these weights decides anything, as in a dense layer.
  void set_idle(bool idle);
  void set_view(View view);
  void set_log_counts(bool log);

  Rows numbers() const override;

 signals:
  /// The threshold while a person moves it, and where it was let go.
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
  /// Whether the line has left what is in sight: nobody could drag it.
  bool leaves_axis() const;
  void place_line();
  void move_threshold(double log_weight);
  bool mouse_event(QEvent* event);
  bool key_event(QEvent* event);

  HistogramCounts all_, top1_;
  std::optional<double> threshold_;  // of the line, resting or not
  QString resting_;                  // the words of a line at rest; empty: it decides
  View view_ = View::all;
  bool log_ = false;
  bool idle_ = false;
  bool dragging_ = false;

  QComboBox* views_;
  QCheckBox* log_counts_;
  QCPBars* bars_;
  QCPGraph* above_;  // share of the weights at or above
  std::unique_ptr<ThresholdLine> line_;
};

}  // namespace ladimo::ui
