// A tour of a window: a few bubbles, one after the other, each beside the widget that it speaks of. The
// window can be used meanwhile.
#pragma once

#include <vector>

#include <QFrame>
#include <QPointer>
#include <QTimer>

class QLabel;
class QPushButton;

namespace ladimo::ui {

struct TourStop {
  QString title;
  QString text;
  QPointer<QWidget> about;
};

/// The place for a bubble of `size` within `window` that covers as little of `about` as possible: right,
/// left, below or above of it (above or below first where it is wide and low), else in a corner of the
/// window.
QRect place_beside(const QRect& about, QSize size, const QRect& window);

class Tour : public QFrame {
  Q_OBJECT
 public:
  /// Starts at the first stop. The tour follows the widgets, hides while its widget is hidden, and deletes
  /// itself at its end, or when a widget is destroyed.
  Tour(std::vector<TourStop> stops, QWidget& window);
  ~Tour() override;

  int stop() const { return stop_; }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void paintEvent(QPaintEvent* event) override;

 private:
  class Outline;
  void go_to(int stop);
  void watch(QWidget* about, bool on);
  void follow();
  void end();

  std::vector<TourStop> stops_;
  QWidget& window_;
  QPointer<QWidget> focus_before_;
  QPointer<Outline> outline_;
  QTimer moved_;
  QLabel* title_;
  QLabel* text_;
  QLabel* count_;
  QPushButton* skip_;
  QPushButton* back_;
  QPushButton* next_;
  int stop_ = -1;
};

}  // namespace ladimo::ui
