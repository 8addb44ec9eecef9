// The bottom bar: a slider along the frontier, its predicted consequences in one sentence, and measurements.
#pragma once

#include <map>

#include <QTimer>
#include <QWidget>

#include "policy/policy_file.h"
#include "ui/models/policy_editor.h"

class QComboBox;
class QLabel;
class QPushButton;

namespace ladimo::ui {

class FrontierPlot;
class MeasureRow;
class ServeClient;
class SettlingSlider;

class FrontierBar : public QWidget {
  Q_OBJECT
 public:
  FrontierBar(PolicyEditor& editor, ServeClient& serve, QWidget* parent = nullptr);
  void focus_slider();
  /// Measures the chosen policy in the background, unless a measurement is running.
  void measure();

 private:
  void make_slider();
  void make_costs();
  void make_grains();
  QWidget* make_buttons();
  void arrange();
  void follow();
  void draw_frontier();
  void draw_marks();
  void pick(double cost);

  PolicyEditor& editor_;
  FrontierPlot* plot_;
  SettlingSlider* slider_;
  QLabel* cheapest_;
  QComboBox* grains_;
  QComboBox* costs_;
  QLabel* no_milliseconds_;
  QPushButton* reset_pins_;
  QLabel* sentence_;
  MeasureRow* measure_;
  QTimer frontier_changed_;  // delays the redraw until a dragged pin stops moving
  Cost drawn_cost_ = Cost::activated;
  Allowed drawn_allowed_ = Allowed::all_grains;
  std::map<int, LayerPolicy> drawn_pins_;
};

}  // namespace ladimo::ui
