// Numbers in rows and columns as colours, with a legend: layers × experts, expert × expert.
#pragma once

#include <vector>

#include <QColor>

#include "ui/plots/plot.h"
#include "ui/plots/row_frame.h"

class QCPColorMap;
class QCPColorScale;

namespace ladimo::ui {

/// The perceptually uniform colours of all heatmaps (viridis), 0 dark ... 1 light.
QColor heat_colour(double share);

/// What a matrix shows; values that are not known are NaN.
struct Matrix {
  int rows = 0;
  int columns = 0;
  std::vector<double> values;         // [rows, columns]
  std::vector<QString> unknown = {};  // [rows] read-out of a row whose values are not known
  double at(int row, int column) const {
    return values[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) +
                  static_cast<std::size_t>(column)];
  }
};

class MatrixPlot : public Plot {
  Q_OBJECT
 public:
  struct Words {
    Help about;
    QString title;
    QString empty;
    QString row;      // name of a row: "layer"
    QString column;   // name of a column: "expert"
    QString value;    // meaning and unit of the colours: "% of the tokens"
    QString reading;  // read-out with %1 row, %2 column, %3 value
  };
  explicit MatrixPlot(Words words, QWidget* parent = nullptr);

  /// Colours run from 0 to `top`. A matrix without rows shows the empty state.
  void set_matrix(Matrix matrix, double top);
  /// Frames a row; -1 removes the frame.
  void set_row(int row);

  Rows numbers() const override;

 signals:
  void row_clicked(int row);

 protected:
  void recolour(const Theme& theme) override;
  QString read_out(double x, double y) const override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Cell {
    int row = 0, column = 0;
  };
  /// The cell at these coordinates; none outside of the matrix.
  std::optional<Cell> cell_at(double x, double y) const;

  Words words_;
  Matrix matrix_;
  QCPColorMap* map_;
  QCPColorScale* legend_;
  RowFrame frame_{canvas()};
};

}  // namespace ladimo::ui
