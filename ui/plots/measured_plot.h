// All measurements of a run and their predictions: KL over activated parameters.
#pragma once

#include <vector>

#include "run/measurement.h"
#include "ui/plots/plot.h"

class QCPCurve;
class QCPGraph;

namespace ladimo::ui {

class MeasuredPlot : public Plot {
  Q_OBJECT
 public:
  explicit MeasuredPlot(QWidget* parent = nullptr);

  /// `measurements`: oldest first; the newest stands out.
  void show_measurements(const std::vector<Measurement>& measurements);

  Rows numbers() const override;

 protected:
  void recolour(const Theme& theme) override;
  QString read_out(double x, double y) const override;

 private:
  std::vector<Measurement> measurements_;  // only those with a KL above 0
  QCPGraph* predicted_;
  QCPGraph* measured_;
  QCPGraph* newest_;
  QCPCurve* distances_;  // from every prediction to its measurement
};

}  // namespace ladimo::ui
