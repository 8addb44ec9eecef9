#include "ui/plots/ridges.h"

#include <algorithm>
#include <cmath>

#include "ui/plots/weight_axis.h"

namespace ladimo::ui {
namespace {

using Rule = Division::Rule;

constexpr int bins_a_point = 4;
constexpr double rows_high = 1.8;
constexpr double least_row = 5;  // pixels; base lines of lower rows would be a grey area

/// Neighbouring bins together, which smooths the outline.
std::vector<QPointF> shape_of(const HistogramCounts& counts) {
  std::vector<QPointF> shape;
  double highest = 0;
  for (int bin = 1; bin + bins_a_point <= histogram_bins + 1 && !counts.empty(); bin += bins_a_point) {
    double count = 0;
    for (int i = bin; i < bin + bins_a_point; ++i) count += static_cast<double>(counts[std::size_t(i)]);
    highest = std::max(highest, count);
    shape.push_back({log_centre_of(bin) + log_bin_width() * (bins_a_point - 1) / 2, count});
  }
  if (highest <= 0) return {};
  for (QPointF& point : shape) point.ry() /= highest;
  return shape;
}

double height_at(const std::vector<QPointF>& shape, double x) {
  const auto after = std::ranges::lower_bound(shape, x, {}, [](const QPointF& point) { return point.x(); });
  if (after == shape.begin() || after == shape.end()) return 0;
  const QPointF from = *std::prev(after), to = *after;
  return from.y() + (to.y() - from.y()) * (x - from.x()) / (to.x() - from.x());
}

}  // namespace

void Ridges::set_counts(const std::vector<HistogramCounts>& layers) {
  shapes_.clear();
  for (const HistogramCounts& counts : layers) shapes_.push_back(shape_of(counts));
}

double Ridges::base_of(int layer) const { return parentPlot()->yAxis->coordToPixel(layer + 0.5); }

/// Where what runs begins.
double Ridges::place_of_edge(const Division& division) const {
  const QCPRange range = parentPlot()->xAxis->range();
  if (division.has_edge())
    return division.edge > 0 ? std::clamp(std::log10(division.edge), range.lower, range.upper) : range.lower;
  return division.rule == Rule::none || division.rule == Rule::unused ? range.upper : range.lower;
}

/// The closed outline between two places of the axis, in pixels.
QPolygonF Ridges::outline(int layer, double from, double to) const {
  const Shape& shape = shapes_[static_cast<std::size_t>(layer)];
  const QCPAxis &across = *parentPlot()->xAxis, &down = *parentPlot()->yAxis;
  const double base = base_of(layer), row = down.coordToPixel(1) - down.coordToPixel(0);
  const auto point = [&](double x, double height) {
    return QPointF(across.coordToPixel(x), base - height * rows_high * row);
  };
  QPolygonF polygon{point(from, 0), point(from, height_at(shape, from))};
  for (const QPointF& at : shape)
    if (at.x() > from && at.x() < to) polygon << point(at.x(), at.y());
  polygon << point(to, height_at(shape, to)) << point(to, 0);
  return polygon;
}

void Ridges::draw(QCPPainter* painter) {
  painter->setAntialiasing(false);  // takes a tenth of the time
  const QCPRange rows = parentPlot()->yAxis->range();
  const int first = std::max(0, static_cast<int>(rows.lower));
  const int last = std::min(layers() - 1, static_cast<int>(std::ceil(rows.upper + rows_high)));
  for (int layer = first; layer <= last; ++layer) draw_layer(*painter, layer);
}

void Ridges::draw_layer(QCPPainter& painter, int layer) const {
  const QCPRange range = parentPlot()->xAxis->range();
  const auto l = static_cast<std::size_t>(layer);
  const Division division = l < divisions_.size() ? divisions_[l] : Division();
  const double base = base_of(layer);
  const QRectF area = clipRect();
  if (base - base_of(layer - 1) > least_row) {
    painter.setPen(QPen(theme_.grid, 1));
    painter.drawLine(QLineF(area.left(), base, area.right(), base));
  }
  if (shapes_[l].empty()) return;
  if (division.rule == Rule::unused) {  // only outlined: nothing of it is used
    QColor faint = theme_.dense;
    faint.setAlphaF(0.6F);
    painter.setPen(QPen(faint, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawPolyline(outline(layer, range.lower, range.upper));
    return;
  }
  const double edge = place_of_edge(division);
  painter.setPen(Qt::NoPen);
  painter.setBrush(theme_.off);
  if (edge > range.lower) painter.drawPolygon(outline(layer, range.lower, edge));
  painter.setBrush(theme_.converted);
  if (edge < range.upper) painter.drawPolygon(outline(layer, edge, range.upper));
  if (!division.has_edge()) return;
  const double x = parentPlot()->xAxis->coordToPixel(edge);
  const double row = base - base_of(layer - 1);
  painter.setPen(QPen(theme_.text, 2, division.rule == Rule::threshold ? Qt::SolidLine : Qt::DotLine));
  painter.drawLine(QLineF(x, base, x, base - row));
}

}  // namespace ladimo::ui
