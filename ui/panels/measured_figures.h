// The figures of a measurement: measured values in bold, predicted ones beside them.
#pragma once

#include <QWidget>

class QGridLayout;
class QLabel;

namespace ladimo {
struct Measurement;
}

namespace ladimo::ui {

class MeasuredFigures : public QWidget {
  Q_OBJECT
 public:
  explicit MeasuredFigures(QWidget* parent = nullptr);

  void show_measurement(const Measurement& measurement);
  void show_nothing(const QString& why);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  struct Row {
    QLabel* measured;
    QLabel* beside;
  };
  Row add_row(QGridLayout& grid, const QString& words, const QString& tip);
  void recolour();

  QLabel* heading_;
  QWidget* figures_;
  Row kl_, percentiles_, perplexity_, same_top_, activated_, ffn_;
};

}  // namespace ladimo::ui
