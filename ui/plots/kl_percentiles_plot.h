// How far the converted model is from the dense one on single tokens: percentiles of the KL for each text.
#pragma once

#include <vector>

#include "run/evaluation.h"
#include "ui/plots/plot.h"

class QCPGraph;

namespace ladimo::ui {

class KlPercentilesPlot : public Plot {
  Q_OBJECT
 public:
  explicit KlPercentilesPlot(QWidget* parent = nullptr);

  /// One column for each text. A text with zero KL (all layers dense) has no marks on a log axis.
  void show_scores(std::vector<TextEvaluation::Domain> scores);

  Rows numbers() const override;

 protected:
  void recolour(const Theme& theme) override;
  QString read_out(double x, double y) const override;

 private:
  std::vector<TextEvaluation::Domain> scores_;
  std::vector<QCPGraph*> statistics_;  // median, 95 %, 99 %, largest, mean
};

}  // namespace ladimo::ui
