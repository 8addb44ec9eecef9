#include "ui/plots/matrix_plot.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <QMouseEvent>

#include <qcustomplot.h>

#include "ui/models/numbers.h"
#include "ui/models/theme.h"
#include "ui/plots/tick_room.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

QCPColorGradient heat_gradient() {
  QCPColorGradient gradient;
  gradient.clearColorStops();
  constexpr int stops = 32;
  for (int i = 0; i <= stops; ++i) gradient.setColorStopAt(double(i) / stops, heat_colour(double(i) / stops));
  gradient.setNanHandling(QCPColorGradient::nhNanColor);
  return gradient;
}

}  // namespace

QColor heat_colour(double share) {
  // A polynomial of degree 6 that approximates matplotlib's viridis.
  constexpr std::array<std::array<double, 3>, 7> terms = {{{0.27773, 0.00541, 0.33410},
                                                           {0.10509, 1.40461, 1.38459},
                                                           {-0.33086, 0.21485, 0.09510},
                                                           {-4.63423, -5.79910, -19.33244},
                                                           {6.22827, 14.17993, 56.69055},
                                                           {4.77638, -13.74515, -65.35303},
                                                           {-5.43546, 4.64585, 26.31244}}};
  const double t = std::clamp(share, 0.0, 1.0);
  std::array<float, 3> rgb{};
  for (std::size_t channel = 0; channel < rgb.size(); ++channel) {
    double value = 0;
    for (std::size_t i = terms.size(); i-- > 0;) value = value * t + terms[i][channel];
    rgb[channel] = static_cast<float>(std::clamp(value, 0.0, 1.0));
  }
  return QColor::fromRgbF(rgb[0], rgb[1], rgb[2]);
}

MatrixPlot::MatrixPlot(Words words, QWidget* parent)
    : Plot(words.title, words.empty, words.about, parent), words_(std::move(words)) {
  QCustomPlot& plot = canvas();
  map_ = new QCPColorMap(plot.xAxis, plot.yAxis);
  map_->setInterpolate(false);
  map_->setAntialiased(false);
  legend_ = new QCPColorScale(&plot);
  legend_->setType(QCPAxis::atRight);
  legend_->setBarWidth(spacing(*this));
  legend_->axis()->setLabel(words_.value);
  plot.plotLayout()->addElement(0, 1, legend_);
  auto* group = new QCPMarginGroup(&plot);
  plot.axisRect()->setMarginGroup(QCP::msBottom | QCP::msTop, group);
  legend_->setMarginGroup(QCP::msBottom | QCP::msTop, group);
  map_->setColorScale(legend_);
  map_->setGradient(heat_gradient());
  for (QCPAxis* axis : {plot.xAxis, plot.yAxis}) {
    axis->setTicker(whole_number_ticker(*axis));
    axis->setSubTicks(false);
    axis->grid()->setVisible(false);
  }
  plot.xAxis->setLabel(words_.column);
  plot.yAxis->setLabel(words_.row);
  plot.yAxis->setRangeReversed(true);
  show_empty();
}

void MatrixPlot::set_matrix(Matrix matrix, double top) {
  matrix_ = std::move(matrix);
  if (matrix_.rows == 0 || matrix_.columns == 0) return show_empty();
  QCPColorMapData& cells = *map_->data();
  cells.setSize(matrix_.columns, matrix_.rows);
  cells.setRange({0, double(matrix_.columns - 1)}, {0, double(matrix_.rows - 1)});
  for (int row = 0; row < matrix_.rows; ++row)
    for (int column = 0; column < matrix_.columns; ++column)
      cells.setCell(column, row, matrix_.at(row, column));
  map_->setDataRange({0, top});
  set_range(*canvas().xAxis, -0.5, matrix_.columns - 0.5);
  set_range(*canvas().yAxis, -0.5, matrix_.rows - 0.5);
  show_plot();
}

void MatrixPlot::set_row(int row) {
  frame_.set_row(row);
  if (!empty()) frame_.replot();
}

std::optional<MatrixPlot::Cell> MatrixPlot::cell_at(double x, double y) const {
  const auto nearest = [](double at) { return static_cast<int>(std::floor(at + 0.5)); };
  const Cell cell{nearest(y), nearest(x)};
  const bool inside =
      cell.row >= 0 && cell.row < matrix_.rows && cell.column >= 0 && cell.column < matrix_.columns;
  return inside ? std::optional(cell) : std::nullopt;
}

QString MatrixPlot::read_out(double x, double y) const {
  const auto cell = cell_at(x, y);
  if (!cell) return {};
  const auto [row, column] = *cell;
  const double value = matrix_.at(row, column);
  if (std::isnan(value))
    return matrix_.unknown.empty() ? QString() : matrix_.unknown[static_cast<std::size_t>(row)];
  return words_.reading.arg(QString::number(row), QString::number(column), number_text(value));
}

bool MatrixPlot::eventFilter(QObject* watched, QEvent* event) {
  if (watched == &canvas() && event->type() == QEvent::MouseButtonPress) {
    const auto& mouse = static_cast<const QMouseEvent&>(*event);
    const double x = canvas().xAxis->pixelToCoord(mouse.position().x());
    const double y = canvas().yAxis->pixelToCoord(mouse.position().y());
    if (const auto cell = cell_at(x, y); cell && mouse.button() == Qt::LeftButton)
      emit row_clicked(cell->row);
  }
  return Plot::eventFilter(watched, event);
}

Rows MatrixPlot::numbers() const {
  QStringList header{words_.row + QStringLiteral(" \\ ") + words_.column};
  for (int column = 0; column < matrix_.columns; ++column) header << QString::number(column);
  Rows rows{header};
  for (int row = 0; row < matrix_.rows; ++row) {
    QStringList cells{QString::number(row)};
    for (int column = 0; column < matrix_.columns; ++column) {
      const double value = matrix_.at(row, column);
      cells << (std::isnan(value) ? QString() : csv_number(value));
    }
    rows << cells;
  }
  return rows;
}

void MatrixPlot::recolour(const Theme& theme) {
  QCPColorGradient gradient = map_->gradient();
  gradient.setNanColor(theme.grid);
  map_->setGradient(gradient);
  frame_.set_colour(theme.accent);
  QCPAxis& axis = *legend_->axis();
  axis.setBasePen({theme.faint, 1});
  axis.setTickPen({theme.faint, 1});
  axis.setSubTickPen({theme.faint, 1});
  axis.setLabelColor(theme.text);
  axis.setTickLabelColor(theme.text);
  axis.setLabelFont(font());
  axis.setTickLabelFont(font());
}

}  // namespace ladimo::ui
