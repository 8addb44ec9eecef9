#include "ui/plots/routing_plot.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <QBoxLayout>
#include <QCheckBox>
#include <QComboBox>
#include <QKeyEvent>
#include <QMouseEvent>

#include <qcustomplot.h>

#include "ui/models/numbers.h"
#include "ui/models/theme.h"
#include "ui/plots/log_axis.h"
#include "ui/plots/threshold_line.h"
#include "ui/plots/tick_room.h"
#include "ui/settings/settings.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

const double low = std::log10(histogram_low);
const double high = std::log10(histogram_high);
const double bin_width = (high - low) / histogram_bins;

double centre_of(int bin) { return low + (bin - 0.5) * bin_width; }
double at_log(double log_weight) { return std::pow(10.0, log_weight); }

double total_of(const HistogramCounts& counts) { return std::accumulate(counts.begin(), counts.end(), 0.0); }

QString weight_at(double log_weight) {
  const int decade = static_cast<int>(std::floor(log_weight + 0.01));
  return QString::number(at_log(log_weight), 'f', std::max(0, -decade));
}

/// The axis is linear in log10 of the weight, so that all bins are equally wide, but its labels are the
/// weights: powers of ten, and three times these where there is room.
class WeightTicker : public QCPAxisTicker {
 public:
  explicit WeightTicker(const QCPAxis& axis) : axis_(axis) {}

 protected:
  QVector<double> createTickVector(double, const QCPRange& range) override {
    const double third = std::log10(3.0), first = std::ceil(range.lower);
    // The smallest weights have the longest labels.
    const auto needed = [&](double weight) { return label_share(axis_, weight_at(weight)) * range.size(); };
    const bool thirds = needed(range.lower) < third;
    const int stride =
        std::max(1, static_cast<int>(std::ceil((needed(first) + needed(first + 1)) / 2)));  // half of each
    QVector<double> ticks;
    for (int decade = static_cast<int>(first) - 1; decade <= static_cast<int>(high); ++decade) {
      if (decade % stride == 0) ticks << decade;
      if (thirds) ticks << decade + third;
    }
    return ticks;
  }
  int getSubTickCount(double) override { return 0; }
  QString getTickLabel(double tick, const QLocale&, QChar, int) override { return weight_at(tick); }

 private:
  const QCPAxis& axis_;
};

}  // namespace

RoutingPlot::RoutingPlot(QWidget* parent)
    : Plot(tr("Routing weights"),
           tr("How strongly the router calls its experts appears here once the layer has routing weights."),
           parent),
      views_(new QComboBox),
      log_counts_(new QCheckBox(tr("log counts"))) {
  QCustomPlot& plot = canvas();
  bars_ = new QCPBars(plot.xAxis, plot.yAxis);
  bars_->setWidth(bin_width);
  bars_->setPen(Qt::NoPen);
  bars_->setAntialiased(false);  // antialiased, 256 bars take 80 ms instead of 2
  above_ = plot.addGraph(plot.xAxis, plot.yAxis2);
  plot.xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new WeightTicker(*plot.xAxis)));
  plot.xAxis->setSubTicks(false);
  plot.yAxis->setNumberFormat(QStringLiteral("gb"));
  plot.yAxis2->setVisible(true);
  plot.yAxis2->setRange(0, 102);
  plot.yAxis2->setLabel(tr("% at or above"));
  line_ = std::make_unique<ThresholdLine>(plot);
  make_controls();
  plot.setObjectName(QStringLiteral("routing_canvas"));
  set_words_of_experts();
  show_empty();
}

RoutingPlot::~RoutingPlot() = default;

void RoutingPlot::make_controls() {
  views_->addItems({tr("all experts"), tr("strongest of each token"), tr("those that run")});
  views_->setAccessibleName(tr("Routing weights shown"));
  views_->setToolTip(tr("Which routing weights are counted"));
  views_->setObjectName(QStringLiteral("routing_view"));
  log_counts_->setToolTip(tr("Counts on a logarithmic axis, to see what is rare"));
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
  set_words(
      tr("routing weight (log scale)"),
      tr("A routing weight is what the router expects of an expert: the norm of its contribution divided by "
         "the mean norm of the layer's output. Experts at or above the threshold run; drag the line, or move "
         "it with the arrow keys. A dashed line decides nothing yet."));
}

void RoutingPlot::set_words(const QString& axis, const QString& tip) {
  canvas().xAxis->setLabel(axis);
  setToolTip(tip);
}

void RoutingPlot::set_threshold(std::optional<double> threshold) { set_line(threshold, {}); }

void RoutingPlot::set_resting_line(double threshold, const QString& words) { set_line(threshold, words); }

void RoutingPlot::set_line(std::optional<double> threshold, const QString& resting) {
  if (threshold == threshold_ && resting == resting_) return;
  const bool appears = threshold.has_value() != threshold_.has_value();
  threshold_ = threshold;
  resting_ = resting;
  if (appears || leaves_axis() || view_ == View::selected) draw();  // the axes may change with it
  place_line();
  if (!empty()) line_->redraw();
}

bool RoutingPlot::leaves_axis() const {
  if (!threshold_ || *threshold_ <= 0) return false;
  const QCPRange range = canvas().xAxis->range();
  const double x = std::log10(*threshold_);
  return x < range.lower - bin_width / 2 || x > range.upper + bin_width / 2;
}

void RoutingPlot::set_idle(bool idle) {
  if (idle == idle_) return;
  idle_ = idle;
  place_line();
  if (!empty()) line_->redraw();
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

/// The lower end of the view of weights that run: the threshold, or the one that a top-k amounts to. In a
/// dense layer all weights run.
std::optional<double> RoutingPlot::least_shown() const {
  return view_ == View::selected && threshold_ && *threshold_ > 0 ? threshold_ : std::nullopt;
}

/// The height of a bar: the bin's share of all weights that are shown, in per cent.
double RoutingPlot::percent_shown(int bin) const {
  const auto least = least_shown();
  if (least && histogram_edge(bin + 1) <= *least) return 0;
  const double shown = total_of(counts()) * (least ? share_above(counts(), *least) : 1);
  return shown > 0 ? 100 * static_cast<double>(counts()[std::size_t(bin)]) / shown : 0;
}

void RoutingPlot::draw() {
  if (all_.empty() || total_of(counts()) <= 0) return show_empty();
  QVector<double> centres, shares, edges, above;
  for (int bin = 1; bin <= histogram_bins; ++bin) {
    const double edge = histogram_edge(bin);
    edges << std::log10(edge);
    above << 100 * share_above(counts(), edge);
    const double percent = percent_shown(bin);
    if (percent <= 0) continue;
    centres << centre_of(bin);
    shares << percent;
  }
  bars_->setData(centres, shares, true);
  above_->setData(edges, above, true);
  fit_range();
  place_line();
  show_plot();
}

/// The range that holds the weights and the threshold, without the smallest 0.5 % of the weights.
void RoutingPlot::fit_range() {
  QCustomPlot& plot = canvas();
  double left = high, right = low, top = 0, bottom = 100;
  for (const QCPGraphData& point : *above_->data()) {
    if (point.value < 0.995 * above_->data()->begin()->value) left = std::min(left, point.key - bin_width);
    if (point.value > 0.02) right = std::max(right, point.key + bin_width);
  }
  for (const QCPBarsData& bar : *bars_->data()) {
    top = std::max(top, bar.value);
    bottom = std::min(bottom, bar.value);
  }
  if (threshold_ && *threshold_ > 0) {
    left = std::min(left, std::log10(*threshold_));
    right = std::max(right, std::log10(*threshold_));
  }
  const double margin = 0.03 * std::max(right - left, 0.5);
  plot.xAxis->setRange(std::max(left - margin, low), std::min(right + margin, high));
  plot.yAxis->setScaleType(log_ ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
  plot.yAxis->setTicker(log_ ? log_ticker() : QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
  const QString of = least_shown() ? tr("% of the weights that run") : tr("% of the weights");
  plot.yAxis->setLabel(log_ ? tr("%1 (log scale)").arg(of) : of);
  bars_->setBaseValue(log_ ? bottom / 2 : 0);
  plot.yAxis->setRange(log_ ? bottom / 2 : 0, (log_ ? 2 : 1.08) * top);
}

void RoutingPlot::place_line() {
  const QCPRange range = canvas().xAxis->range();
  if (!threshold_)
    line_->hide();
  else
    line_->place(*threshold_ > 0 ? std::max(std::log10(*threshold_), low) : range.lower,
                 resting_.isEmpty() ? tr("τ %1").arg(number_text(*threshold_)) : resting_,
                 !resting_.isEmpty());
  line_->veil(idle_ ? range.upper : threshold() ? line_->x() : range.lower);
}

void RoutingPlot::move_threshold(double log_weight) {
  const double moved = at_log(std::clamp(log_weight, low, high));
  if (threshold() == moved) return;
  set_threshold(moved);
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
      move_threshold(std::clamp(canvas().xAxis->pixelToCoord(x), canvas().xAxis->range().lower,
                                canvas().xAxis->range().upper));
      return true;
    default:
      if (!dragging_ || mouse.button() != Qt::LeftButton) return false;
      dragging_ = false;
      emit committed(*threshold_);
      return true;
  }
}

bool RoutingPlot::key_event(QEvent* event) {
  auto& key = static_cast<QKeyEvent&>(*event);
  const int step = key.key() == Qt::Key_Right ? 1 : key.key() == Qt::Key_Left ? -1 : 0;
  if (step == 0 || !threshold_ || empty()) return false;
  if (event->type() == QEvent::KeyPress)
    move_threshold(line_->x() + step * bin_width);
  else if (!key.isAutoRepeat())
    emit committed(*threshold_);
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

QString RoutingPlot::read_out(double x, double) const {
  if (!canvas().xAxis->range().contains(x)) return {};
  const int bin = histogram_index(at_log(x));
  if (bin < 1 || bin > histogram_bins) return {};
  const double edge = histogram_edge(bin);
  return (least_shown()
              ? tr("%1 % of the weights that run lie between %2 and %3\n%4 % of all are at or above %2")
              : tr("%1 % of the weights lie between %2 and %3\n%4 % are at or above %2"))
      .arg(number_text(percent_shown(bin)), number_text(edge), number_text(histogram_edge(bin + 1)),
           number_text(100 * share_above(counts(), edge)));
}

Rows RoutingPlot::numbers() const {
  Rows rows{{tr("from"), tr("to"), tr("all"), tr("strongest")}};
  for (int bin = 1; bin <= histogram_bins && !all_.empty(); ++bin) {
    const auto i = static_cast<std::size_t>(bin);
    rows << QStringList{csv_number(histogram_edge(bin)), csv_number(histogram_edge(bin + 1)),
                        QString::number(all_[i]), top1_.empty() ? QString() : QString::number(top1_[i])};
  }
  return rows;
}

void RoutingPlot::recolour(const Theme& theme) {
  bars_->setBrush(theme.converted);
  above_->setPen({theme.faint, 1.25});
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
