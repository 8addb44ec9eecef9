// What all plots of the studio have in common: a title in words, an empty state that says what will appear, a
// read-out under the pointer, zoom, copy and save (PNG, PDF, CSV), colours from the palette, at most 30
// redraws a second.
#pragma once

#include <memory>

#include <QString>
#include <QWidget>

#include "ui/models/csv.h"
#include "ui/models/help.h"

class QCPAxis;
class QCustomPlot;
class QHBoxLayout;
class QLabel;
class QPainter;
class QPdfWriter;
class QPixmap;
class QStackedWidget;

namespace ladimo::ui {

class Zoom;
struct Theme;

class Plot : public QWidget {
  Q_OBJECT
 public:
  /// `empty`: the sentence that is shown while there is nothing to draw.
  Plot(const QString& title, const QString& empty, Help about, QWidget* parent = nullptr);
  ~Plot() override;

  void set_title(const QString& title);
  QString title() const;
  /// A sentence under the plot, rich text. Its space is always reserved, so that the layout does not jump.
  void set_caption(const QString& caption);
  QString caption() const;
  /// Replaces the sentence that is shown while there is nothing to draw.
  void set_empty_words(const QString& empty);
  QString empty_words() const;
  void show_empty();
  void show_plot();
  bool empty() const;

  /// The plotted numbers, with all digits.
  virtual Rows numbers() const = 0;
  QString csv() const { return csv_text(numbers()); }
  /// Saves PNG, PDF or CSV, depending on the extension of the path. Replaces the file atomically. Returns
  /// what went wrong, or nothing.
  QString save_as(const QString& path);
  /// For reports: draws the plot into `rect` in the light theme's colours.
  void paint(QPainter& painter, const QRectF& rect);
  /// Draws the plot at the next 30 Hz tick of the window, if it is visible.
  void redraw();

 protected:
  QCustomPlot& canvas() const { return *canvas_; }
  /// The row of the title, to which controls can be added at the right.
  QHBoxLayout& heading() const { return *heading_; }
  /// Gives an axis the range that shows everything, and lets a person zoom into it. Where somebody did, the
  /// view stays as far as it is inside.
  void set_range(QCPAxis& axis, double low, double high);
  /// Puts the legend under the axes, in rows of so many entries, where it covers no mark.
  void put_legend_below(int columns);
  virtual void recolour(const Theme& theme) = 0;
  /// The read-out at these coordinates of xAxis and yAxis; empty where there is none.
  virtual QString read_out(double x, double y) const = 0;
  void changeEvent(QEvent* event) override;
  void showEvent(QShowEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;

 private:
  void apply_palette();
  void zoom_out();
  void tick();
  QPixmap picture(double scale) const;
  void paint_page(QPdfWriter& pdf);
  void copy_picture();
  void copy_numbers();
  void save();
  void show_focus();
  int heading_height() const;

  QHBoxLayout* heading_;
  QLabel* title_;
  QStackedWidget* pages_;
  QLabel* empty_;
  QCustomPlot* canvas_;
  QLabel* caption_;
  QLabel* failure_;  // why the last save failed
  std::unique_ptr<Zoom> zoom_;
  bool dirty_ = true;
};

}  // namespace ladimo::ui
