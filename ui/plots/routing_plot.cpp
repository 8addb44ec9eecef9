#include "ui/plots/routing_plot.h"

#include <algorithm>
#include <cmath>

#include <QBoxLayout>
#include <QCheckBox>
#include <QComboBox>
#include <QKeyEvent>
#include <QMouseEvent>

#include <qcustomplot.h>

#include "ui/models/divided_histogram.h"
#include "ui/models/numbers.h"
#include "ui/models/theme.h"
#include "ui/plots/log_axis.h"
#include "ui/plots/outside_bar.h"
#include "ui/plots/threshold_line.h"
#include "ui/plots/weight_axis.h"
#include "ui/settings/settings.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

using Rule = Division::Rule;

double at_log(double log_weight) { return std::pow(10.0, log_weight); }

}  // namespace

RoutingPlot::RoutingPlot(QWidget* parent)
    : Plot(tr("Routing weights"),
           tr("The distribution of the layer's routing weights appears here once they have been measured."),
           Help::routing, parent),
      views_(new QComboBox),
      log_counts_(new QCheckBox(tr("Log counts"))) {
  QCustomPlot& plot = canvas();
  bars_ = new QCPBars(plot.xAxis, plot.yAxis);
  bars_->setWidth(log_bin_width());
  bars_->setPen(Qt::NoPen);
  bars_->setAntialiased(false);  // antialiased, 256 bars take 80 ms instead of 2
  above_ = plot.addGraph(plot.xAxis, plot.yAxis2);
  plot.xAxis->setTicker(weight_ticker(*plot.xAxis));
  plot.xAxis->setSubTicks(false);
  plot.yAxis->setNumberFormat(QStringLiteral("gb"));
  plot.yAxis2->setVisible(true);
  plot.yAxis2->setRange(0, 102);
  plot.yAxis2->setLabel(tr("% at or above"));
  below_ = std::make_unique<OutsideBar>(plot, OutsideBar::End::lower);
  beyond_ = std::make_unique<OutsideBar>(plot, OutsideBar::End::upper);
  line_ = std::make_unique<ThresholdLine>(plot);
  make_controls();
  plot.setObjectName(QStringLiteral("routing_canvas"));
  set_words_of_experts();
  show_empty();
}

RoutingPlot::~RoutingPlot() = default;

void RoutingPlot::make_controls() {
  views_->addItems({tr("All experts"), tr("Top expert of each token"), tr("Experts that run")});
  views_->setAccessibleName(tr("Routing weights shown"));
  views_->setToolTip(tr("Which routing weights are counted"));
  views_->setObjectName(QStringLiteral("routing_view"));
  log_counts_->setToolTip(tr("Logarithmic axis for the counts, to see rare values"));
  log_counts_->setObjectName(QStringLiteral("routing_log"));
  auto* row = new QHBoxLayout;
  row->addWidget(views_);
  row->addWidget(log_counts_);
  row->addStretch();
  auto* column = static_cast<QVBoxLayout*>(layout());
  column->insertLayout(2, row);
  connect(views_, &QComboBox::activated, this, [this](int index) { set_view(static_cast<View>(index)); });
  connect(log_counts_, &QCheckBox::toggled, this, &RoutingPlot::set_log_counts);
  remember_choice(*log_counts_, keys::routing_log);
}

void RoutingPlot::set_counts(HistogramCounts all, HistogramCounts top1) {
  all_ = std::move(all);
  top1_ = std::move(top1);
  draw();
  views_->setEnabled(!empty() && !top1_.empty());
  log_counts_->setEnabled(!empty());
}

void RoutingPlot::set_words_of_experts() {
  set_words(tr("Routing weights"), tr("Routing weight (log scale)"), tr("weights"),
            tr("A routing weight is the contribution that the router predicts for an expert: its norm "
               "divided by the mean norm of the layer's output. Experts at or above the threshold run. Drag "
               "the line, or move it with the arrow keys. A dashed line has no effect yet."));
}

void RoutingPlot::set_words(const QString& title, const QString& axis, const QString& counted,
                            const QString& tip) {
  counted_ = counted;
  set_title(title);
  canvas().xAxis->setLabel(axis);
  setToolTip(tip);
}

std::optional<double> RoutingPlot::threshold() const {
  return division_.rule == Rule::threshold ? std::optional(division_.edge) : std::nullopt;
}

void RoutingPlot::set_division(const Division& division) {
  if (division == division_) return;
  const bool other = division.rule != division_.rule;
  const double ran_below = below_->running(), ran_beyond = beyond_->running();
  division_ = division;
  if (other || leaves_axis() || view_ == View::selected) return draw();  // the axes may change with it
  if (empty()) return;
  place_outside();
  place_line();
  if (below_->running() != ran_below || beyond_->running() != ran_beyond)
    redraw();
  else
    line_->redraw();
}

bool RoutingPlot::leaves_axis() const {
  if (!division_.has_edge() || division_.edge < histogram_low) return false;
  const double x = std::log10(division_.edge);
  return x < left_ - log_bin_width() / 2 || x > right_ + log_bin_width() / 2;
}

void RoutingPlot::set_view(View view) {
  view_ = view;
  views_->setCurrentIndex(static_cast<int>(view));
  draw();
}

void RoutingPlot::set_log_counts(bool log) {
  log_ = log;
  log_counts_->setChecked(log);
  draw();
}

const HistogramCounts& RoutingPlot::counts() const {
  return view_ == View::top1 && !top1_.empty() ? top1_ : all_;
}

DividedHistogram RoutingPlot::shown() const {
  using Of = DividedHistogram::Of;
  return {counts(), division_,
          view_ == View::selected ? Of::running
          : &counts() == &top1_   ? Of::strongest
                                  : Of::all};
}

void RoutingPlot::draw() {
  if (all_.empty() || total_of(counts()) <= 0) return show_empty();
  fit_ends();
  const DividedHistogram histogram = shown();
  QVector<double> centres, shares, edges, above;
  for (int bin = 1; bin <= histogram_bins; ++bin) {
    const double edge = histogram_edge(bin);
    edges << std::log10(edge);
    above << 100 * share_above(counts(), edge);
    const double percent = histogram.percent_of_bin(bin), centre = log_centre_of(bin);
    if (percent <= 0 || centre < left_ || centre > right_) continue;
    centres << centre;
    shares << percent;
  }
  bars_->setData(centres, shares, true);
  above_->setData(edges, above, true);
  fit_range();
  place_line();
  show_plot();
}

/// The bins between the ends hold the weights and the threshold.
void RoutingPlot::fit_ends() {
  const LogRange range = log_range_of(counts());
  left_ = range.left;
  right_ = range.right;
  if (!division_.has_edge() || division_.edge < histogram_low) return;
  const double bins = (std::log10(division_.edge) - lowest_log_weight()) / log_bin_width();
  left_ = std::min(left_, lowest_log_weight() + std::floor(bins) * log_bin_width());
  right_ = std::max(right_, lowest_log_weight() + std::ceil(bins) * log_bin_width());
}

/// Bars at the ends of the axis stand for what is outside the bins that are shown.
void RoutingPlot::fit_range() {
  QCustomPlot& plot = canvas();
  double top = 0, bottom = 100;
  for (const QCPBarsData& bar : *bars_->data()) {
    top = std::max(top, bar.value);
    bottom = std::min(bottom, bar.value);
  }
  plot.yAxis->setScaleType(log_ ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
  plot.yAxis->setTicker(log_ ? log_ticker() : QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
  const QString of = (shown().only_running() ? tr("% of the %1 that run") : tr("% of the %1")).arg(counted_);
  plot.yAxis->setLabel(log_ ? tr("%1 (log scale)").arg(of) : of);
  if (top <= 0) top = bottom = 1;
  bars_->setBaseValue(log_ ? bottom / 2 : 0);
  plot.yAxis->setRange(log_ ? bottom / 2 : 0, (log_ ? 2 : 1.08) * top);
  place_outside();
  const double space = 2 * outside_width();
  set_range(*plot.xAxis, left_ - space, right_ + space);
}

double RoutingPlot::outside_width() const { return 0.02 * std::max(right_ - left_, 0.5); }

void RoutingPlot::place_outside() {
  constexpr double least = 0.05;  // per cent
  const DividedHistogram histogram = shown();
  const double width = outside_width();
  const auto place = [&](OutsideBar& bar, double edge, DividedHistogram::Outside outside) {
    if (outside.percent < least) outside = {};
    bar.place(edge, width, outside.percent, outside.running);
  };
  place(*below_, left_ - width / 2, histogram.below(at_log(left_)));
  place(*beyond_, right_ + width / 2, histogram.above(at_log(right_)));
}

/// Where no threshold decides, the line is at an end of the axis. In the bar of what lies below the axis it
/// stands where the part that runs begins.
double RoutingPlot::place_of_line() const {
  const double space = 2 * outside_width();
  if (division_.rule == Rule::none) return right_ + space;
  if (!division_.has_edge()) return left_ - space;
  if (division_.edge >= histogram_low) return std::log10(division_.edge);
  const double runs = below_->percent() > 0 ? below_->running() / below_->percent() : 1;
  return left_ - space + (1 - runs) * outside_width();
}

void RoutingPlot::place_line() {
  const bool rests = division_.rule != Rule::threshold;
  const double x = place_of_line();
  if (division_.rule == Rule::unknown)
    line_->hide();
  else
    line_->place(x, rests ? division_.words : tr("τ %1").arg(number_text(division_.edge)), rests);
  const double runs = empty() ? 1 : shown().running();
  if (runs <= 0)
    line_->veil(left_, right_);
  else
    line_->veil(left_, runs < 1 && division_.has_edge() ? std::min(x, right_) : left_);
}

/// A person gives the layer a threshold that is above 0.
void RoutingPlot::move_threshold(double log_weight) {
  const double moved = at_log(std::clamp(log_weight, lowest_log_weight(), highest_log_weight()));
  if (threshold() == moved) return;
  set_division({Rule::threshold, moved, share_above(all_, moved)});
  emit changed(moved);
}

bool RoutingPlot::mouse_event(QEvent* event) {
  auto& mouse = static_cast<QMouseEvent&>(*event);
  const double x = mouse.position().x();
  switch (event->type()) {
    case QEvent::MouseButtonPress:
      if (mouse.button() != Qt::LeftButton || empty() || !line_->at(x)) return false;
      dragging_ = true;
      canvas().setFocus();
      return true;
    case QEvent::MouseMove:
      canvas().setCursor(dragging_ || (!empty() && line_->at(x)) ? Qt::SplitHCursor : Qt::ArrowCursor);
      if (!dragging_) return false;
      move_threshold(std::clamp(canvas().xAxis->pixelToCoord(x), left_, right_));
      return true;
    default:
      if (!dragging_ || mouse.button() != Qt::LeftButton) return false;
      dragging_ = false;
      if (threshold()) emit committed(*threshold());
      return true;
  }
}

bool RoutingPlot::key_event(QEvent* event) {
  auto& key = static_cast<QKeyEvent&>(*event);
  const int step = key.key() == Qt::Key_Right ? 1 : key.key() == Qt::Key_Left ? -1 : 0;
  if (step == 0 || key.modifiers() & Qt::ShiftModifier || division_.rule == Rule::unknown || empty())
    return false;
  const double x = std::clamp(place_of_line(), left_ - log_bin_width(), right_ + log_bin_width());
  if (event->type() == QEvent::KeyPress)
    move_threshold(x + step * log_bin_width());
  else if (!key.isAutoRepeat() && threshold())
    emit committed(*threshold());
  return true;
}

bool RoutingPlot::eventFilter(QObject* watched, QEvent* event) {
  if (watched == &canvas()) {
    switch (event->type()) {
      case QEvent::MouseButtonPress:
      case QEvent::MouseMove:
      case QEvent::MouseButtonRelease:
        if (mouse_event(event)) return true;
        break;
      case QEvent::KeyPress:
      case QEvent::KeyRelease:
        if (key_event(event)) return true;
        break;
      case QEvent::FocusIn:
      case QEvent::FocusOut:
        line_->set_focused(event->type() == QEvent::FocusIn);
        if (!empty()) line_->redraw();
        break;
      default:
        break;
    }
  }
  return Plot::eventFilter(watched, event);
}

QString RoutingPlot::read_outside(double x) const {
  const OutsideBar& bar = x < left_ ? *below_ : *beyond_;
  if (bar.percent() <= 0) return {};
  const QString edge = number_text(at_log(x < left_ ? left_ : right_));
  const QString lie = (x < left_ ? tr("%1 % of the %2 lie below %3") : tr("%1 % of the %2 lie above %3"))
                          .arg(number_text(bar.percent()), counted_, edge);
  if (division_.rule == Rule::unknown || division_.rule == Rule::unused) return lie;
  return lie + '\n' + tr("%1 % run").arg(number_text(bar.running()));
}

QString RoutingPlot::read_out(double x, double) const {
  if (!canvas().xAxis->range().contains(x)) return {};
  if (x < left_ || x > right_) return read_outside(x);
  const int bin = std::clamp(histogram_index(at_log(x)), 1, histogram_bins);
  const double edge = histogram_edge(bin);
  const DividedHistogram histogram = shown();
  return (histogram.only_running()
              ? tr("%1 % of the %5 that run are between %2 and %3\n%4 % of all are at or above %2")
              : tr("%1 % of the %5 are between %2 and %3\n%4 % are at or above %2"))
      .arg(number_text(histogram.percent_of_bin(bin)), number_text(edge),
           number_text(histogram_edge(bin + 1)), number_text(100 * share_above(counts(), edge)), counted_);
}

// The first row is what lies below the bins, the last one what lies above.
Rows RoutingPlot::numbers() const {
  Rows rows{{tr("from"), tr("to"), tr("all"), tr("top expert")}};
  for (int bin = 0; bin <= histogram_bins + 1 && !all_.empty(); ++bin) {
    const auto i = static_cast<std::size_t>(bin);
    rows << QStringList{bin > 0 ? csv_number(histogram_edge(bin)) : QString(),
                        bin <= histogram_bins ? csv_number(histogram_edge(bin + 1)) : QString(),
                        QString::number(all_[i]), top1_.empty() ? QString() : QString::number(top1_[i])};
  }
  return rows;
}

void RoutingPlot::recolour(const Theme& theme) {
  bars_->setBrush(theme.converted);
  above_->setPen({theme.faint, 1.25});
  for (OutsideBar* bar : {below_.get(), beyond_.get()}) bar->recolour(theme, font());
  line_->recolour(theme, font());
  QCPAxis& right = *canvas().yAxis2;
  right.setBasePen({theme.faint, 1});
  right.setTickPen({theme.faint, 1});
  right.setSubTickPen({theme.faint, 1});
  right.setLabelColor(theme.faint);
  right.setTickLabelColor(theme.faint);
  right.setLabelFont(font());
  right.setTickLabelFont(font());
}

}  // namespace ladimo::ui
