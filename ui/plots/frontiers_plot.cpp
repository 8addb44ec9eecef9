#include "ui/plots/frontiers_plot.h"

#include <algorithm>
#include <cmath>

#include <QStringList>

#include <qcustomplot.h>

#include "ui/models/numbers.h"
#include "ui/models/theme.h"
#include "ui/plots/log_axis.h"

namespace ladimo::ui {
namespace {

double percent(const FrontiersPlot::Curve& curve, const Frontier::Point& point) {
  return 100 * point.cost / curve.dense_cost;
}

}  // namespace

FrontiersPlot::FrontiersPlot(const std::array<Curve, 2>& curves, QWidget* parent)
    : Plot(tr("Best accuracy at each cost (predicted)"),
           tr("Neither run has a policy that leaves something out."), Help::frontiers, parent),
      curves_(curves),
      graphs_{canvas().addGraph(), canvas().addGraph()} {
  setObjectName(QStringLiteral("frontiers_plot"));
  canvas().xAxis->setLabel(tr("Activated parameters, %"));
  canvas().xAxis->setRangeReversed(true);  // cheaper to the right, as on the page Policy
  canvas().yAxis->setLabel(tr("KL (log)"));
  double left = 100, low = 1, high = 0;
  for (std::size_t i = 0; i < curves_.size(); ++i) {
    QVector<double> x, y;
    for (const Frontier::Point& point : curves_[i].points) {
      if (!(point.kl > 0)) continue;  // the original itself, which a logarithm cannot show
      x << percent(curves_[i], point);
      y << point.kl;
      left = std::min(left, x.back());
      low = std::min(low, point.kl);
      high = std::max(high, point.kl);
    }
    graphs_[i]->setName(curves_[i].name);
    graphs_[i]->setData(x, y);
  }
  put_legend_below(1);
  if (high <= 0) {
    show_empty();
    return;
  }
  set_range(*canvas().xAxis, left - 1, 101);
  set_log_axis(*canvas().yAxis, low, high);
  show_plot();
}

Rows FrontiersPlot::numbers() const {
  Rows rows{{tr("run"), tr("activated fraction"), tr("KL, predicted")}};
  for (const Curve& curve : curves_)
    for (const Frontier::Point& point : curve.points)
      rows << QStringList{curve.name, csv_number(point.cost / curve.dense_cost), csv_number(point.kl)};
  return rows;
}

QString FrontiersPlot::read_out(double x, double) const {
  QStringList lines;
  for (const Curve& curve : curves_) {
    if (curve.points.empty()) continue;
    const auto nearest = std::ranges::min_element(
        curve.points, {}, [&](const Frontier::Point& point) { return std::abs(percent(curve, point) - x); });
    lines << tr("%1: KL %2 at %3")
                 .arg(curve.name, number_text(nearest->kl), percent_text(nearest->cost / curve.dense_cost));
  }
  return lines.join('\n');
}

// The second curve is dashed, so that colour is not all that tells them apart.
void FrontiersPlot::recolour(const Theme& theme) {
  graphs_[0]->setPen({theme.accent, 2});
  graphs_[1]->setPen({theme.converted, 2, Qt::DashLine});
}

}  // namespace ladimo::ui
