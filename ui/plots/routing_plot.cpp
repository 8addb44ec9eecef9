#include "ui/plots/routing_plot.h"

#include <cmath>
#include <numeric>

#include <QEvent>
#include <QLabel>
#include <QVBoxLayout>

#include <qcustomplot.h>

#include "base/format.h"
#include "ui/plots/theme.h"

namespace ladimo::ui {
namespace {

QCPBars* add_bars(QCustomPlot& plot) {
  auto* bars = new QCPBars(plot.xAxis, plot.yAxis);
  bars->setWidth(std::log10(histogram_edge(2)) - std::log10(histogram_edge(1)));
  bars->setPen(Qt::NoPen);
  bars->setAntialiased(false);  // or 256 bars take 80 ms instead of 2
  return bars;
}

// The axis is linear in log10 of the weight, where the bins are equally wide; its labels are the weights.
QSharedPointer<QCPAxisTickerText> decades() {
  QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
  for (int decade = -4; decade <= 1; ++decade)
    ticker->addTick(
        decade, QString::fromStdString(decade < 0    ? "0." + std::string(std::size_t(-decade - 1), '0') + "1"
                                       : decade == 0 ? "1"
                                                     : "10"));
  return ticker;
}

QString caption(const LayerRow& row) {
  if (!row.policy) return QObject::tr("No policy has been chosen for this layer yet.");
  const auto number = [](double value) { return QString::fromStdString(format_number(value)); };
  switch (row.policy->kind) {
    case LayerPolicy::Kind::dense:
      return QObject::tr("This layer stays dense: it uses the original FFN and no router.");
    case LayerPolicy::Kind::top_k:
      return QObject::tr("The %1 largest of %2 routing weights decide for every token.")
          .arg(row.policy->k)
          .arg(row.routed);
    case LayerPolicy::Kind::threshold:
      return QObject::tr("At threshold %1: %2 of %3 routed experts on per token (predicted).")
          .arg(number(row.policy->threshold), number(row.policy->mean_experts))
          .arg(row.routed);
  }
  return {};
}

}  // namespace

RoutingPlot::RoutingPlot(QWidget* parent)
    : QWidget(parent), title_(new QLabel), plot_(new QCustomPlot), caption_(new QLabel) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins({});
  layout->addWidget(title_);
  layout->addWidget(plot_, 1);
  layout->addWidget(caption_);
  QFont bold = title_->font();
  bold.setBold(true);
  title_->setFont(bold);
  caption_->setWordWrap(true);
  caption_->setAlignment(Qt::AlignTop);
  caption_->setMinimumHeight(2 * caption_->fontMetrics().lineSpacing());  // nothing jumps between layers

  skipped_ = add_bars(*plot_);
  on_ = add_bars(*plot_);
  threshold_ = new QCPItemStraightLine(plot_);
  plot_->xAxis->setTicker(decades());
  plot_->xAxis->setSubTicks(false);
  plot_->xAxis->setLabel(tr("routing weight (log scale)"));
  plot_->yAxis->setLabel(tr("% of the weights"));
  plot_->setToolTip(
      tr("The routing weight is the contribution that the router predicts for an expert, divided by "
         "the mean norm of the layer's output. Orange weights let their expert run."));
  recolour();
  show_nothing();
}

void RoutingPlot::show_layer(const LayerRow& row) {
  if (row.routing_weights.empty()) {
    show_nothing();
    return;
  }
  title_->setText(tr("Routing weights of layer %1").arg(row.layer));
  caption_->setText(caption(row));
  plot_->show();
  const bool cut = row.policy && row.policy->kind == LayerPolicy::Kind::threshold;
  draw(row.routing_weights, cut ? row.policy->threshold : 0);
}

void RoutingPlot::show_nothing() {
  title_->setText(tr("Routing weights"));
  caption_->setText(
      tr("How strongly the router of the selected layer calls its experts appears here, once the "
         "layer has been converted and the run has its routing profile."));
  plot_->hide();
}

void RoutingPlot::draw(const HistogramCounts& counts, double threshold) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  QVector<double> centres[2], shares[2];
  for (int bin = 1; bin <= histogram_bins; ++bin) {
    const double low = histogram_edge(bin), high = histogram_edge(bin + 1);
    const std::size_t side = low >= threshold ? 1 : 0;
    if (counts[std::size_t(bin)] == 0) continue;
    centres[side] << (std::log10(low) + std::log10(high)) / 2;
    shares[side] << 100 * static_cast<double>(counts[std::size_t(bin)]) / total;
  }
  skipped_->setData(centres[0], shares[0], true);
  on_->setData(centres[1], shares[1], true);
  threshold_->setVisible(threshold > 0);
  if (threshold > 0) {
    threshold_->point1->setCoords(std::log10(threshold), 0);
    threshold_->point2->setCoords(std::log10(threshold), 1);
  }
  plot_->xAxis->setRange(std::log10(histogram_low), std::log10(histogram_high));
  plot_->yAxis->rescale();
  plot_->yAxis->setRange(0,
                         1.08 * plot_->yAxis->range().upper);  // so that the threshold is seen above the bars
  plot_->replot();
}

void RoutingPlot::recolour() {
  const Theme theme = theme_of(palette());
  apply_theme(*plot_, theme);
  skipped_->setBrush(theme.off);
  on_->setBrush(theme.converted);
  threshold_->setPen({theme.accent, 2});
  plot_->replot();
}

void RoutingPlot::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) recolour();
}

}  // namespace ladimo::ui
