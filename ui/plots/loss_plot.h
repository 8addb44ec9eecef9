// The distillation losses of all layers: one is drawn in full, the others faintly behind it.
#pragma once

#include <map>

#include <QVector>

#include "ui/plots/plot.h"

class QCPGraph;

namespace ladimo::ui {

class LossPlot : public Plot {
  Q_OBJECT
 public:
  struct Curve {
    QVector<double> steps, values;            // training rows
    QVector<double> held_steps, held_values;  // held-out rows
    bool operator==(const Curve&) const = default;
  };

  explicit LossPlot(QWidget* parent = nullptr);

  /// Replaces a layer's curve, whose steps ascend.
  void set_curve(int layer, const Curve& curve);
  /// Names the steps of the x axis. By default they are steps of the distillation.
  void set_step_name(const QString& name);
  /// Draws this layer in full.
  void select(int layer);
  void clear();

  Rows numbers() const override;

 protected:
  void recolour(const Theme& theme) override;
  QString read_out(double x, double y) const override;

 private:
  void draw();
  QCPGraph* background_of(int layer);

  std::map<int, Curve> curves_;
  std::map<int, QCPGraph*> others_;  // held-out losses of every layer
  int selected_ = -1;
  QCPGraph* training_;
  QCPGraph* held_out_;
};

}  // namespace ladimo::ui
