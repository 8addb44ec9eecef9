#include "ui/plots/loss_plot.h"

#include <algorithm>
#include <cmath>

#include <qcustomplot.h>

#include "ui/models/numbers.h"
#include "ui/models/theme.h"
#include "ui/plots/log_axis.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

QString caption_of(const LossPlot::Curve& curve) {
  if (curve.held_values.isEmpty()) return LossPlot::tr("Faint lines: validation loss of the other layers.");
  const QString dots =
      LossPlot::tr("Dots: validation loss, %1 → %2.")
          .arg(number_text(curve.held_values.first()), number_text(curve.held_values.last()));
  const QString line = LossPlot::tr("Line: training loss, with a varying number of experts on.");
  return dots + ' ' + (curve.values.isEmpty() ? QString() : line + ' ') +
         LossPlot::tr("Faint: the other layers.");
}

/// The index of the step nearest to `x`; -1 if there are none. `steps` ascend.
qsizetype nearest(const QVector<double>& steps, double x) {
  const auto distance = [x](double step) { return std::abs(step - x); };
  return steps.isEmpty() ? -1 : std::ranges::min_element(steps, {}, distance) - steps.begin();
}

}  // namespace

LossPlot::LossPlot(QWidget* parent)
    : Plot(tr("Distillation loss"),
           tr("The loss of each converted layer appears here once its distillation starts."), Help::losses,
           parent),
      training_(canvas().addGraph()),
      held_out_(canvas().addGraph()) {
  canvas().xAxis->setLabel(tr("Distillation step"));
  canvas().yAxis->setLabel(tr("Squared error"));
  QSharedPointer<QCPAxisTickerFixed> whole(new QCPAxisTickerFixed);
  whole->setTickStep(1);
  whole->setScaleStrategy(QCPAxisTickerFixed::ssMultiples);
  canvas().xAxis->setTicker(whole);
  canvas().xAxis->setSubTicks(false);
  held_out_->setScatterStyle({QCPScatterStyle::ssCircle, 5});
  training_->setAntialiased(true);
  show_empty();
}

void LossPlot::set_curve(int layer, const Curve& curve) {
  if (curves_[layer] == curve) return;
  curves_[layer] = curve;
  background_of(layer)->setData(curve.held_steps, curve.held_values, true);
  draw();
}

void LossPlot::set_step_name(const QString& name) { canvas().xAxis->setLabel(name); }

void LossPlot::select(int layer) {
  if (layer == selected_) return;
  selected_ = layer;
  draw();
}

void LossPlot::clear() {
  for (const auto& [layer, graph] : others_) canvas().removeGraph(graph);
  others_.clear();
  curves_.clear();
  draw();
}

QCPGraph* LossPlot::background_of(int layer) {
  QCPGraph*& graph = others_[layer];
  if (!graph) {
    graph = canvas().addGraph();
    graph->setLayer(QStringLiteral("background"));
    graph->setPen({theme_of(palette()).off, 1.25});
  }
  return graph;
}

void LossPlot::draw() {
  double low = 0, high = 0, last = 1;
  for (const auto& [layer, curve] : curves_) {
    for (const double value : curve.values + curve.held_values) {
      low = low > 0 ? std::min(low, value) : value;
      high = std::max(high, value);
    }
    for (const QVector<double>* steps : {&curve.steps, &curve.held_steps})
      if (!steps->isEmpty()) last = std::max(last, steps->last());
  }
  const auto found = curves_.find(selected_);
  const Curve shown = found == curves_.end() ? Curve() : found->second;
  training_->setData(shown.steps, shown.values, true);
  held_out_->setData(shown.held_steps, shown.held_values, true);
  set_title(selected_ < 0 ? tr("Distillation loss") : tr("Distillation loss of layer %1").arg(selected_));
  if (low <= 0) return show_empty();
  set_log_axis(*canvas().yAxis, low, high);
  set_range(*canvas().xAxis, -0.02 * last, 1.02 * last);
  set_caption(caption_of(shown));
  show_plot();
}

void LossPlot::recolour(const Theme& theme) {
  training_->setPen({theme.converted, 1.25});
  held_out_->setPen({theme.accent, 1.5});
  for (const auto& [layer, graph] : others_) graph->setPen({theme.off, 1.25});
}

/// Reads the held-out dot under the pointer, else the training line, else the nearest dot.
QString LossPlot::read_out(double x, double y) const {
  const auto found = curves_.find(selected_);
  if (found == curves_.end()) return {};
  const auto& [steps, values, held_steps, held_values] = found->second;
  const qsizetype dot = nearest(held_steps, x), point = nearest(steps, x);
  const auto at_dot = [&, &held_steps = held_steps, &held_values = held_values] {
    const QCPAxis& across = *canvas().xAxis;
    const QCPAxis& up = *canvas().yAxis;
    return std::hypot(across.coordToPixel(held_steps[dot]) - across.coordToPixel(x),
                      up.coordToPixel(held_values[dot]) - up.coordToPixel(y)) < spacing(*this);
  };
  if (dot >= 0 && (point < 0 || at_dot()))
    return tr("%1 %2, validation: %3")
        .arg(canvas().xAxis->label(), QString::number(held_steps[dot]), number_text(held_values[dot]));
  if (point < 0) return {};
  return tr("%1 %2, training: %3")
      .arg(canvas().xAxis->label(), QString::number(steps[point]), number_text(values[point]));
}

Rows LossPlot::numbers() const {
  Rows rows{{tr("layer"), tr("step"), tr("split"), tr("loss")}};
  for (const auto& [layer, curve] : curves_) {
    const auto add = [&, number = layer](const QVector<double>& steps, const QVector<double>& values,
                                         const QString& kind) {
      for (qsizetype i = 0; i < steps.size(); ++i)
        rows << QStringList{QString::number(number), csv_number(steps[i]), kind, csv_number(values[i])};
    };
    add(curve.steps, curve.values, tr("training"));
    add(curve.held_steps, curve.held_values, tr("validation"));
  }
  return rows;
}

}  // namespace ladimo::ui
