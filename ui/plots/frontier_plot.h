// KL over cost: the frontier, the chosen policy, and the measured and saved ones. Cheaper policies are on the
// right, as on the slider below the plot; a click chooses one. The scales follow the frontier; what lies
// outside stands at the edge with an arrow.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "policy/frontier.h"
#include "ui/plots/plot.h"

class QCheckBox;
class QCPCurve;
class QCPGraph;
class QCPItemStraightLine;
class QCPItemText;
class QCPLayer;

namespace ladimo::ui {

/// A policy on the plot. The cost is that of the whole model.
struct FrontierMark {
  double cost = 0;
  double kl = 0;                       // nats per token
  std::optional<double> predicted_kl;  // only for a measured policy
  QString name;                        // label beside the mark; may be empty
  QString reading;                     // read-out under the pointer
  bool time_predicted = false;         // the cost is a time that was not measured with the KL
};

class FrontierPlot : public Plot {
  Q_OBJECT
 public:
  explicit FrontierPlot(QWidget* parent = nullptr);

  /// Sets the frontier; the chosen policy must be set again. Activated parameters are shown in per cent of
  /// `dense_cost`.
  void set_frontier(Cost cost, double dense_cost, std::vector<Frontier::Point> points);
  /// Moves the chosen policy and redraws nothing else.
  void set_chosen(double cost, double kl);
  /// Shows measured policies as diamonds, each with a line to its prediction. The last one has a label. Those
  /// whose time was not measured are hollow.
  void set_measured(std::vector<FrontierMark> marks);
  void set_saved(std::vector<FrontierMark> marks);
  void set_log_kl(bool log);
  /// Keeps at least this room beside the axes, for the words beside a slider below.
  void keep_room(int left, int right);
  /// Where a cost is on the axis while all of it is shown, in the plot's pixels from the left.
  double across(double cost) const;

  Rows numbers() const override;

 signals:
  /// The person points at a cost with the button down (`picked`), or releases it (`pick_ended`).
  void picked(double cost);
  void pick_ended();
  /// The axes may have moved.
  void drawn();

 protected:
  void recolour(const Theme& theme) override;
  QString read_out(double x, double y) const override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  /// Where a mark stands, and to which edges of the plot it was moved.
  struct Place {
    double x, y;
    Qt::Alignment edges;
  };
  void make_graphs();
  void draw();
  void draw_measured();
  void fit_range();
  void label_marks();
  void add_text(const Place& place, const QString& text, Qt::Alignment alignment);
  void label(const FrontierMark& mark, const QString& text, bool above);
  void add_arrows(const FrontierMark& mark);
  void name_axes();
  double shown(double cost) const;
  Place place_of(const FrontierMark& mark) const;
  QString in_words(double cost) const;
  const FrontierMark* nearest(double x, double y) const;

  Cost cost_ = Cost::activated;
  double dense_cost_ = 1;
  std::vector<Frontier::Point> points_;
  std::vector<FrontierMark> measured_, saved_;
  FrontierMark chosen_;
  bool log_ = false;
  std::pair<double, double> whole_x_{0, 1}, whole_y_{0, 1};  // the ranges that are not zoomed into

  QCheckBox* log_kl_;
  QCPGraph* frontier_;
  QCPGraph* measured_marks_;
  QCPGraph* untimed_marks_;  // measured, but not their times
  QCPCurve* distances_;
  QCPGraph* saved_marks_;
  std::vector<QCPItemText*> labels_;
  QCPLayer* moving_;
  QCPGraph* chosen_mark_;
  QCPItemStraightLine* chosen_line_;
};

}  // namespace ladimo::ui
