// The first page: what can be done, the demo one click away, and the recent folders.
#pragma once

#include <QString>
#include <QWidget>

#include "ui/engine/engine.h"

class QLabel;
class QVBoxLayout;

namespace ladimo::ui {

class Smollm2Card;

class StartPage : public QWidget {
  Q_OBJECT
 public:
  explicit StartPage(QWidget* parent = nullptr);
  /// Shows the engine's machine and its recent folders.
  void refresh(const Engine& engine);

 signals:
  void convert_wanted(const QString& model);  // empty: the person has to choose it
  void run_wanted(const QString& run);        // empty: the person has to choose it
  void model_wanted();
  void settings_wanted();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  QWidget* make_beginnings();
  QWidget* make_recent();
  void add_demo(QVBoxLayout& column);
  void recolour();

  QLabel* subtitle_;
  QLabel* nothing_recent_;
  QLabel* engine_;
  QVBoxLayout* recent_;
  Smollm2Card* smollm2_;
};

}  // namespace ladimo::ui
