#include "ui/plots/load_plot.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <qcustomplot.h>

#include "base/format.h"
#include "ui/plots/theme.h"

namespace ladimo::ui {
namespace {

QString percent(double share) { return QString::fromStdString(format_number(100 * share)); }

}  // namespace

LoadPlot::LoadPlot(QWidget* parent)
    : Plot(tr("Expert load"), tr("How often each expert runs appears here with the routing profile."),
           parent) {
  QCustomPlot& plot = canvas();
  bars_ = new QCPBars(plot.xAxis, plot.yAxis);
  bars_->setPen(Qt::NoPen);
  bars_->setAntialiased(false);
  even_ = new QCPItemStraightLine(&plot);
  plot.xAxis->setLabel(tr("routed expert"));
  plot.yAxis->setLabel(tr("% of the load"));
  QSharedPointer<QCPAxisTickerFixed> whole(new QCPAxisTickerFixed);
  whole->setTickStep(1);
  whole->setScaleStrategy(QCPAxisTickerFixed::ssMultiples);
  plot.xAxis->setTicker(whole);
  plot.xAxis->setSubTicks(false);
  setToolTip(
      tr("Of all experts that run at the layer's middle threshold, the share of each. The line is an even "
         "load, 1/E: far above it an expert is almost shared, far below almost dead."));
  show_empty();
}

void LoadPlot::set_load(std::vector<double> load) {
  load_ = std::move(load);
  sum_ = std::accumulate(load_.begin(), load_.end(), 0.0);
  if (sum_ <= 0) return show_empty();
  QVector<double> experts, shares;
  for (std::size_t e = 0; e < load_.size(); ++e) {
    experts << double(e);
    shares << 100 * share(e);
  }
  const double even = 100.0 / double(load_.size());
  bars_->setWidth(load_.size() > 128 ? 1 : 0.8);
  bars_->setData(experts, shares, true);
  even_->point1->setCoords(0, even);
  even_->point2->setCoords(1, even);
  canvas().xAxis->setRange(-0.7, double(load_.size()) - 0.3);
  canvas().yAxis->setRange(0, 1.1 * std::max(*std::ranges::max_element(shares), even));
  show_plot();
}

QString LoadPlot::read_out(double x, double) const {
  const long expert = std::lround(x);
  if (expert < 0 || expert >= long(load_.size())) return {};
  const auto e = static_cast<std::size_t>(expert);
  return tr("Expert %1 runs for %2 % of the tokens\n%3 % of the load; even would be %4 %")
      .arg(QString::number(expert), percent(load_[e]), percent(share(e)), percent(1 / double(load_.size())));
}

QString LoadPlot::csv() const {
  QString text = QStringLiteral("expert,share of tokens,share of load\n");
  for (std::size_t e = 0; e < load_.size(); ++e)
    text += QStringLiteral("%1,%2,%3\n").arg(e).arg(load_[e]).arg(share(e));
  return text;
}

void LoadPlot::recolour(const Theme& theme) {
  bars_->setBrush(theme.converted);
  even_->setPen({theme.text, 1.25, Qt::DashLine});
}

}  // namespace ladimo::ui
