// KL over cost: all the best policies there are, the chosen one, those that were measured or saved. Cheaper
// lies to the right, as on the slider below it; a click chooses.
#pragma once

#include <optional>
#include <vector>

#include "policy/frontier.h"
#include "ui/plots/plot.h"

class QCheckBox;
class QCPGraph;
class QCPItemStraightLine;
class QCPItemText;
class QCPLayer;

namespace ladimo::ui {

/// A policy on the plot. Costs are the whole model's, in the unit of the cost.
struct FrontierMark {
  double cost = 0;
  double kl = 0;                       // nats per token
  std::optional<double> predicted_kl;  // of a measured one
  QString name;                        // beside the mark; may be empty
  QString reading;                     // under the pointer
};

class FrontierPlot : public Plot {
  Q_OBJECT
 public:
  explicit FrontierPlot(QWidget* parent = nullptr);

  /// The frontier for a cost. `dense_cost` is what activated parameters are shown in per cent of.
  void set_frontier(Cost cost, double dense_cost, std::vector<Frontier::Point> points);
  /// The chosen policy; draws nothing else anew.
  void set_chosen(double cost, double kl);
  /// Diamonds, each with a line to what was predicted for it. The last one is named.
  void set_measured(std::vector<FrontierMark> marks);
  void set_saved(std::vector<FrontierMark> marks);
  void set_log_kl(bool log);

  Rows numbers() const override;

 signals:
  /// A cost that was pointed at, while the button is down; and its release.
  void picked(double cost);
  void pick_ended();

 protected:
  void recolour(const Theme& theme) override;
  QString read_out(double x, double y) const override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void make_graphs();
  void draw();
  void draw_measured();
  void fit_range();
  void label_marks();
  void label(const FrontierMark& mark, const QString& text, bool above);
  double shown(double cost) const;
  QString in_words(double cost) const;
  const FrontierMark* nearest(double x, double y) const;

  Cost cost_ = Cost::activated;
  double dense_cost_ = 1;
  std::vector<Frontier::Point> points_;
  std::vector<FrontierMark> measured_, saved_;
  FrontierMark chosen_;
  bool log_ = false;

  QCheckBox* log_kl_;
  QCPGraph* frontier_;
  QCPGraph* measured_marks_;
  QCPGraph* distances_;
  QCPGraph* saved_marks_;
  std::vector<QCPItemText*> labels_;
  QCPLayer* moving_;
  QCPGraph* chosen_mark_;
  QCPItemStraightLine* chosen_line_;
};

}  // namespace ladimo::ui
