// How often each routed expert runs, against the 1/E of an even load.
#pragma once

#include <vector>

#include "ui/plots/plot.h"

class QCPBars;
class QCPItemStraightLine;

namespace ladimo::ui {

class LoadPlot : public Plot {
  Q_OBJECT
 public:
  explicit LoadPlot(QWidget* parent = nullptr);
  /// [E] share of the tokens for which the expert is on; empty shows the empty state.
  void set_load(std::vector<double> load);
  QString csv() const override;

 protected:
  void recolour(const Theme& theme) override;
  QString read_out(double x, double y) const override;

 private:
  /// Of all that run, this expert's share.
  double share(std::size_t expert) const { return load_[expert] / sum_; }

  std::vector<double> load_;
  double sum_ = 0;
  QCPBars* bars_;
  QCPItemStraightLine* even_;
};

}  // namespace ladimo::ui
