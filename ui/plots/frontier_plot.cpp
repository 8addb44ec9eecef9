#include "ui/plots/frontier_plot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <QBoxLayout>
#include <QCheckBox>
#include <QMouseEvent>

#include <qcustomplot.h>

#include "ui/models/numbers.h"
#include "ui/models/theme.h"
#include "ui/plots/log_axis.h"
#include "ui/settings/settings.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

QCPGraph* add_marks(QCustomPlot& plot) {
  QCPGraph* graph = plot.addGraph();
  graph->setLineStyle(QCPGraph::lsNone);
  return graph;
}

QStringList cells(const QString& kind, const FrontierMark& mark) {
  return {kind, mark.name, csv_number(mark.cost), csv_number(mark.kl),
          mark.predicted_kl ? csv_number(*mark.predicted_kl) : QString()};
}

/// Where a label lies on the curve, it is read all the same.
void colour(QCPItemText& label, const Theme& theme) {
  constexpr int nearly_opaque = 215;
  QColor under = theme.background;
  under.setAlpha(nearly_opaque);
  label.setBrush(under);
  label.setColor(theme.text);
}

}  // namespace

FrontierPlot::FrontierPlot(QWidget* parent)
    : Plot(tr("Best accuracy at each cost"),
           tr("The best policies appear here once the run has its trade-off table."), Help::frontier, parent),
      log_kl_(new QCheckBox(tr("Log scale"))) {
  make_graphs();
  QCustomPlot& plot = canvas();
  plot.setObjectName(QStringLiteral("frontier_canvas"));
  plot.xAxis->setRangeReversed(true);
  plot.xAxis->setNumberFormat(QStringLiteral("gb"));
  plot.yAxis->setNumberFormat(QStringLiteral("gb"));
  log_kl_->setToolTip(tr("Logarithmic KL axis, to see small values"));
  log_kl_->setObjectName(QStringLiteral("frontier_log"));
  connect(log_kl_, &QCheckBox::toggled, this, &FrontierPlot::set_log_kl);
  remember_choice(*log_kl_, keys::frontier_log);
  connect(&plot, &QCustomPlot::afterReplot, this, &FrontierPlot::drawn);
  heading().addWidget(log_kl_);
  setToolTip(
      tr("KL is the mean distance between the next-token distributions of the original and the converted "
         "model. Click to choose a policy."));
  show_empty();
}

void FrontierPlot::make_graphs() {
  QCustomPlot& plot = canvas();
  frontier_ = plot.addGraph();
  distances_ = new QCPCurve(plot.xAxis, plot.yAxis);  // of a graph, points are sorted
  saved_marks_ = add_marks(plot);
  measured_marks_ = add_marks(plot);
  untimed_marks_ = add_marks(plot);
  plot.addLayer(QStringLiteral("chosen"));
  moving_ = plot.layer(QStringLiteral("chosen"));
  moving_->setMode(QCPLayer::lmBuffered);
  chosen_line_ = new QCPItemStraightLine(&plot);
  chosen_line_->setLayer(moving_);
  for (QCPItemPosition* end : {chosen_line_->point1, chosen_line_->point2})
    end->setTypeY(QCPItemPosition::ptAxisRectRatio);
  chosen_mark_ = add_marks(plot);
  chosen_mark_->setLayer(moving_);
  plot.addLayer(QStringLiteral("measured"));  // on top, so that measurements are never hidden
  for (QCPGraph* marks : {measured_marks_, untimed_marks_}) marks->setLayer(QStringLiteral("measured"));
}

double FrontierPlot::shown(double cost) const {
  return cost_ == Cost::activated ? 100 * cost / dense_cost_ : cost;
}

QString FrontierPlot::in_words(double cost) const {
  return cost_ == Cost::activated ? tr("%1 % of the parameters activated").arg(number_text(shown(cost)))
                                  : tr("%1 ms per token").arg(number_text(cost));
}

void FrontierPlot::set_frontier(Cost cost, double dense_cost, std::vector<Frontier::Point> points) {
  cost_ = cost;
  dense_cost_ = dense_cost;
  points_ = std::move(points);
  chosen_ = {};  // its cost may be of the other kind
  draw();
}

void FrontierPlot::name_axes() {
  const bool untimed = std::ranges::any_of(measured_, &FrontierMark::time_predicted);
  canvas().xAxis->setLabel(cost_ == Cost::activated ? tr("Activated parameters, % of original (cheaper →)")
                           : untimed ? tr("Decoding, milliseconds per token (faster →); ◇ time predicted")
                                     : tr("Decoding, milliseconds per token (faster →)"));
}

void FrontierPlot::set_chosen(double cost, double kl) {
  chosen_ = {cost, kl, {}, {}, tr("Current: KL %1, %2 (predicted)").arg(number_text(kl), in_words(cost))};
  if (!points_.empty() && place_of(chosen_).edges & (Qt::AlignTop | Qt::AlignLeft | Qt::AlignRight))
    return draw();  // the scales change
  chosen_mark_->data()->clear();
  const QCPRange& range = canvas().yAxis->range();
  chosen_mark_->addData(shown(cost), log_ ? std::max(kl, range.lower) : kl);
  chosen_line_->point1->setCoords(shown(cost), 0);
  chosen_line_->point2->setCoords(shown(cost), 1);
  if (!empty()) moving_->replot();
}

void FrontierPlot::set_measured(std::vector<FrontierMark> marks) {
  measured_ = std::move(marks);
  draw();
}

void FrontierPlot::set_saved(std::vector<FrontierMark> marks) {
  saved_ = std::move(marks);
  draw();
}

void FrontierPlot::set_log_kl(bool log) {
  log_ = log;
  log_kl_->setChecked(log);
  draw();
}

/// The scales follow the frontier. What lies outside is moved inside, so that there is room for an arrow.
FrontierPlot::Place FrontierPlot::place_of(const FrontierMark& mark) const {
  constexpr double inset = 0.06;  // of the axis
  Place place{shown(mark.cost), mark.kl, {}};
  const double across = whole_x_.second - whole_x_.first;
  if (place.x > whole_x_.second) {  // the axis is reversed
    place.x = whole_x_.second - inset * across;
    place.edges |= Qt::AlignLeft;
  } else if (place.x < whole_x_.first) {
    place.x = whole_x_.first + inset * across;
    place.edges |= Qt::AlignRight;
  }
  const auto [low, high] = whole_y_;
  const auto at = [&](double share) {
    return log_ ? low * std::pow(high / low, share) : low + (high - low) * share;
  };
  if (place.y > high) {
    place.y = at(1 - 2 * inset);
    place.edges |= Qt::AlignTop;
  } else if (place.y < low) {
    place.y = at(2 * inset);
    place.edges |= Qt::AlignBottom;
  }
  return place;
}

void FrontierPlot::keep_room(int left, int right) {
  canvas().axisRect()->setMinimumMargins({left, 0, right, 0});
}

double FrontierPlot::across(double cost) const {
  const QRect area = canvas().axisRect()->rect();
  const double share =
      (whole_x_.second - shown(cost)) / (whole_x_.second - whole_x_.first);  // it is reversed
  return canvas().mapTo(this, area.topLeft()).x() + share * area.width();
}

void FrontierPlot::label_marks() {
  for (QCPItemText* text : labels_) canvas().removeItem(text);
  labels_.clear();
  for (const FrontierMark& mark : saved_) {
    label(mark, mark.name, false);
    add_arrows(mark);
  }
  for (const FrontierMark& mark : measured_) add_arrows(mark);
  if (measured_.empty()) return;
  const FrontierMark& last = measured_.back();
  label(last,
        last.predicted_kl
            ? tr("measured %1 (predicted %2)").arg(number_text(last.kl), number_text(*last.predicted_kl))
            : tr("measured %1").arg(number_text(last.kl)),
        true);
}

void FrontierPlot::add_text(const Place& place, const QString& text, Qt::Alignment alignment) {
  auto* item = new QCPItemText(&canvas());
  item->position->setCoords(place.x, place.y);
  item->setPositionAlignment(alignment);
  const int gap = spacing(*this) / 2;
  item->setPadding({gap, gap, gap, gap});
  item->setText(text);
  colour(*item, theme_of(palette()));
  item->setFont(font());
  labels_.push_back(item);
}

/// Puts the label above the mark and to its left, where the frontier does not run, if there is room.
void FrontierPlot::label(const FrontierMark& mark, const QString& text, bool above) {
  const Place place = place_of(mark);
  const double from_left = (whole_x_.second - place.x) / (whole_x_.second - whole_x_.first);
  const int width = canvas().axisRect()->width(),
            room = fontMetrics().horizontalAdvance(text) + spacing(*this);
  const bool fits_left = from_left * width > room, fits_right = (1 - from_left) * width > room;
  const bool left = (above && fits_left) || !fits_right;
  const auto [low, high] = whole_y_;
  const double up = log_ ? std::log(place.y / low) / std::log(high / low) : (place.y - low) / (high - low);
  if (up > 0.75) above = false;
  add_text(place, text, (left ? Qt::AlignRight : Qt::AlignLeft) | (above ? Qt::AlignBottom : Qt::AlignTop));
}

void FrontierPlot::add_arrows(const FrontierMark& mark) {
  const Place place = place_of(mark);
  const auto add = [&](Qt::AlignmentFlag edge, const char16_t arrow, Qt::Alignment alignment) {
    if (place.edges & edge) add_text(place, QString(QChar(arrow)), alignment);
  };
  add(Qt::AlignTop, u'▲', Qt::AlignBottom | Qt::AlignHCenter);
  add(Qt::AlignBottom, u'▼', Qt::AlignTop | Qt::AlignHCenter);
  add(Qt::AlignLeft, u'◀', Qt::AlignRight | Qt::AlignVCenter);
  add(Qt::AlignRight, u'▶', Qt::AlignLeft | Qt::AlignVCenter);
}

void FrontierPlot::draw_measured() {
  measured_marks_->data()->clear();
  untimed_marks_->data()->clear();
  QVector<double> x, y;
  for (const FrontierMark& mark : measured_) {
    const Place place = place_of(mark);
    (mark.time_predicted ? untimed_marks_ : measured_marks_)->addData(place.x, place.y);
    if (!mark.predicted_kl) continue;
    x << place.x << place.x << std::numeric_limits<double>::quiet_NaN();  // one line ends
    y << place.y << std::clamp(*mark.predicted_kl, whole_y_.first, whole_y_.second) << x.back();
  }
  distances_->setData(x, y);
}

void FrontierPlot::draw() {
  if (points_.empty()) return show_empty();
  frontier_->data()->clear();
  for (const Frontier::Point& point : points_)
    if (!log_ || point.kl > 0) frontier_->addData(shown(point.cost), point.kl);
  fit_range();
  saved_marks_->data()->clear();
  for (const FrontierMark& mark : saved_) saved_marks_->addData(place_of(mark).x, place_of(mark).y);
  draw_measured();
  label_marks();
  name_axes();
  show_plot();
  if (chosen_.cost > 0) set_chosen(chosen_.cost, chosen_.kl);
}

/// The ranges that hold the frontier and the chosen policy, which need not be on it.
void FrontierPlot::fit_range() {
  double cheap = shown(points_.front().cost), dear = cheap, top = 0, bottom = 1;
  const auto include = [&](double cost, double kl) {
    cheap = std::min(cheap, shown(cost));
    dear = std::max(dear, shown(cost));
    top = std::max(top, kl);
    if (kl > 0) bottom = std::min(bottom, kl);
  };
  for (const Frontier::Point& point : points_) include(point.cost, point.kl);
  if (chosen_.cost > 0) include(chosen_.cost, chosen_.kl);
  const double margin = 0.02 * std::max(dear - cheap, 1e-9);
  QCustomPlot& plot = canvas();
  plot.yAxis->setScaleType(log_ ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
  plot.yAxis->setTicker(log_ ? log_ticker() : QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
  plot.yAxis->setLabel(log_ ? tr("KL (log)") : tr("KL"));
  whole_x_ = {cheap - margin, dear + margin};
  whole_y_ = {log_ ? bottom / 1.5 : 0, (log_ ? 1.8 : 1.1) * std::max(top, 1e-9)};
  set_range(*plot.xAxis, whole_x_.first, whole_x_.second);
  set_range(*plot.yAxis, whole_y_.first, whole_y_.second);
}

const FrontierMark* FrontierPlot::nearest(double x, double y) const {
  const QCustomPlot& plot = canvas();
  const FrontierMark* best = nullptr;
  double closest = 2.0 * spacing(*this);
  const auto look = [&](const FrontierMark& mark) {
    const Place place = place_of(mark);
    const double distance = std::hypot(plot.xAxis->coordToPixel(place.x) - plot.xAxis->coordToPixel(x),
                                       plot.yAxis->coordToPixel(place.y) - plot.yAxis->coordToPixel(y));
    if (distance >= closest) return;
    closest = distance;
    best = &mark;
  };
  for (const FrontierMark& mark : measured_) look(mark);
  for (const FrontierMark& mark : saved_) look(mark);
  look(chosen_);
  return best;
}

QString FrontierPlot::read_out(double x, double y) const {
  if (points_.empty() || !canvas().xAxis->range().contains(x)) return {};
  if (const FrontierMark* mark = nearest(x, y)) return mark->reading;
  const auto point = std::ranges::min_element(
      points_, {}, [&](const Frontier::Point& candidate) { return std::abs(shown(candidate.cost) - x); });
  return tr("KL %1, %2 (predicted)").arg(number_text(point->kl), in_words(point->cost));
}

bool FrontierPlot::eventFilter(QObject* watched, QEvent* event) {
  if (watched == &canvas()) {
    const bool press = event->type() == QEvent::MouseButtonPress;
    if (press || event->type() == QEvent::MouseMove) {
      const auto& mouse = static_cast<const QMouseEvent&>(*event);
      const bool down = press ? mouse.button() == Qt::LeftButton : bool(mouse.buttons() & Qt::LeftButton);
      const double x = canvas().xAxis->pixelToCoord(mouse.position().x());
      if (down) emit picked(cost_ == Cost::activated ? x / 100 * dense_cost_ : x);
    }
    if (event->type() == QEvent::MouseButtonRelease) emit pick_ended();
  }
  return Plot::eventFilter(watched, event);
}

Rows FrontierPlot::numbers() const {
  Rows rows{{tr("kind"), tr("name"),
             cost_ == Cost::activated ? tr("activated parameters") : tr("milliseconds per token"), tr("KL"),
             tr("predicted KL")}};
  for (const Frontier::Point& point : points_)
    rows << cells(tr("frontier"), {point.cost, point.kl, {}, {}, {}});
  rows << cells(tr("current"), chosen_);
  for (const FrontierMark& mark : measured_) rows << cells(tr("measured"), mark);
  for (const FrontierMark& mark : saved_) rows << cells(tr("saved"), mark);
  return rows;
}

void FrontierPlot::recolour(const Theme& theme) {
  const double dot = spacing(*this) / 3.0;
  frontier_->setPen({theme.faint, 1.25});
  frontier_->setScatterStyle({QCPScatterStyle::ssDisc, theme.faint, theme.faint, dot});
  distances_->setPen({theme.converted, 1.5});
  measured_marks_->setScatterStyle({QCPScatterStyle::ssDiamond, theme.text, theme.converted, 4 * dot});
  untimed_marks_->setScatterStyle({QCPScatterStyle::ssDiamond, theme.text, theme.background, 4 * dot});
  saved_marks_->setScatterStyle({QCPScatterStyle::ssSquare, theme.text, theme.background, 3 * dot});
  chosen_mark_->setScatterStyle({QCPScatterStyle::ssCircle, theme.background, theme.accent, 5 * dot});
  chosen_line_->setPen({theme.accent, 1.25, Qt::DotLine});
  for (QCPItemText* text : labels_) colour(*text, theme);
}

}  // namespace ladimo::ui
