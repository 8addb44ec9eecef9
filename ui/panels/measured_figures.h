// What an evaluation found, as figures: the measured in bold, beside it what was predicted.
#pragma once

#include <QWidget>

class QGridLayout;
class QLabel;

namespace ladimo::ui {

struct Measurement;

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
