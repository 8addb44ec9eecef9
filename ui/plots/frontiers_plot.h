// The frontiers of two runs in one picture: which of them is more accurate at each cost.
#pragma once

#include <array>
#include <vector>

#include "policy/frontier.h"
#include "ui/plots/plot.h"

class QCPGraph;

namespace ladimo::ui {

class FrontiersPlot : public Plot {
  Q_OBJECT
 public:
  /// A frontier whose cost is activated parameters.
  struct Curve {
    QString name;
    std::vector<Frontier::Point> points;
    double dense_cost = 0;  // activated parameters of the original
  };

  explicit FrontiersPlot(const std::array<Curve, 2>& curves, QWidget* parent = nullptr);

  Rows numbers() const override;

 protected:
  void recolour(const Theme& theme) override;
  QString read_out(double x, double y) const override;

 private:
  std::array<Curve, 2> curves_;
  std::array<QCPGraph*, 2> graphs_;
};

}  // namespace ladimo::ui
