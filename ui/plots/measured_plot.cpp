#include "ui/plots/measured_plot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <QStringList>

#include <qcustomplot.h>

#include "ui/models/measurements_model.h"
#include "ui/models/numbers.h"
#include "ui/models/theme.h"
#include "ui/plots/log_axis.h"

namespace ladimo::ui {
namespace {

double percent(const PolicyNumbers& numbers) { return 100 * numbers.activated_fraction; }

}  // namespace

MeasuredPlot::MeasuredPlot(QWidget* parent)
    : Plot(tr("Measured and predicted"),
           tr("Every measurement of this run appears here next to its prediction."), Help::predictions,
           parent),
      predicted_(canvas().addGraph()),
      measured_(canvas().addGraph()),
      newest_(canvas().addGraph()),
      distances_(new QCPCurve(canvas().xAxis, canvas().yAxis)) {
  setObjectName(QStringLiteral("measured_plot"));
  for (QCPGraph* graph : {predicted_, measured_, newest_}) graph->setLineStyle(QCPGraph::lsNone);
  predicted_->setName(tr("predicted"));
  measured_->setName(tr("measured"));
  newest_->setName(tr("newest"));
  distances_->removeFromLegend();
  canvas().xAxis->setLabel(tr("Activated parameters, %"));
  canvas().yAxis->setLabel(tr("KL, nats per token"));
  put_legend_below(2);  // all three in a row would make the page wider than a small screen
}

void MeasuredPlot::show_measurements(const std::vector<Measurement>& measurements) {
  measurements_.clear();
  std::ranges::copy_if(measurements, std::back_inserter(measurements_),
                       [](const Measurement& m) { return m.numbers.kl > 0 && m.policy.predicted.kl > 0; });
  if (measurements_.empty()) {
    show_empty();
    return;
  }
  QVector<double> said_x, said_y, found_x, found_y, line_x, line_y;
  const double gap = std::numeric_limits<double>::quiet_NaN();
  for (const Measurement& m : measurements_) {
    said_x << percent(m.policy.predicted);
    said_y << m.policy.predicted.kl;
    found_x << percent(m.numbers);
    found_y << m.numbers.kl;
    line_x << said_x.back() << found_x.back() << gap;
    line_y << said_y.back() << found_y.back() << gap;
  }
  predicted_->setData(said_x, said_y);
  newest_->setData({found_x.back()}, {found_y.back()});
  measured_->setData(found_x, found_y);
  distances_->setData(line_x, line_y);
  const auto [left, right] = std::ranges::minmax(found_x + said_x);
  const auto [low, high] = std::ranges::minmax(found_y + said_y);
  const double margin = std::max(2.0, 0.08 * (right - left));
  set_range(*canvas().xAxis, left - margin, right + margin);
  set_log_axis(*canvas().yAxis, low, high);
  show_plot();
}

Rows MeasuredPlot::numbers() const {
  Rows rows{{tr("date"), tr("activated fraction, predicted"), tr("KL, predicted"),
             tr("activated fraction, measured"), tr("KL, measured")}};
  for (const Measurement& m : measurements_)
    rows << QStringList{QString::fromStdString(m.date), csv_number(m.policy.predicted.activated_fraction),
                        csv_number(m.policy.predicted.kl), csv_number(m.numbers.activated_fraction),
                        csv_number(m.numbers.kl)};
  return rows;
}

void MeasuredPlot::recolour(const Theme& theme) {
  const QPen outline(theme.converted, 1.5);
  predicted_->setScatterStyle({QCPScatterStyle::ssCircle, outline, Qt::NoBrush, 8});
  measured_->setScatterStyle({QCPScatterStyle::ssDiamond, outline, theme.converted, 9});
  newest_->setScatterStyle({QCPScatterStyle::ssDiamond, QPen(theme.accent, 2), theme.converted, 14});
  distances_->setPen({theme.faint, 1.25});
}

// Reads the nearest measurement, if the pointer is close to it.
QString MeasuredPlot::read_out(double x, double y) const {
  const auto distance = [&](const Measurement& m) {
    const double across = (percent(m.numbers) - x) / canvas().xAxis->range().size();
    const double up = std::log10(m.numbers.kl / y) /
                      std::log10(canvas().yAxis->range().upper / canvas().yAxis->range().lower);
    return std::hypot(across, up);
  };
  if (measurements_.empty() || y <= 0) return {};
  const auto nearest = std::ranges::min_element(measurements_, {}, distance);
  if (distance(*nearest) > 0.05) return {};
  return tr("KL %1 measured, %2 predicted\n%3 % activated, %4 % predicted\n%5 · %6")
      .arg(number_text(nearest->numbers.kl), number_text(nearest->policy.predicted.kl),
           number_text(percent(nearest->numbers)), number_text(percent(nearest->policy.predicted)),
           date_in_words(nearest->date), text_in_words(*nearest));
}

}  // namespace ladimo::ui
