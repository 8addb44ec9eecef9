// The bottom bar: the frontier with a slider under it, what may be chosen beside it, the predicted
// consequences in one sentence, and measurements.
#pragma once

#include <map>

#include <QTimer>
#include <QWidget>

#include "policy/policy_file.h"
#include "ui/models/policy_editor.h"

class QComboBox;
class QLabel;
class QLayout;
class QPushButton;

namespace ladimo::ui {

class FrontierPlot;
class MeasureRow;
class Note;
class ServeClient;
class SettlingSlider;
class SliderRow;
class TargetField;

class FrontierBar : public QWidget {
  Q_OBJECT
 public:
  FrontierBar(PolicyEditor& editor, ServeClient& serve, QWidget* parent = nullptr);
  void focus_slider();
  /// Measures the chosen policy in the background, unless a measurement is running.
  void measure();

 signals:
  void save_wanted();

 private:
  void make_slider();
  void make_costs();
  void make_grains();
  QLayout* make_history_buttons();
  QLayout* make_policy_buttons();
  QLayout* make_controls();
  void arrange();
  void align_slider();
  void refuse(const QString& why);
  void follow();
  void draw_frontier();
  void draw_marks();
  void pick(double cost);

  PolicyEditor& editor_;
  FrontierPlot* plot_;
  SettlingSlider* slider_;
  QLabel* cheapest_;
  SliderRow* row_;
  TargetField* target_;
  QComboBox* grains_;
  QComboBox* costs_;
  QLabel* no_milliseconds_;
  QPushButton* reset_pins_;
  QPushButton* save_;
  Note* sentence_;
  MeasureRow* measure_;
  QTimer frontier_changed_;  // delays the redraw until a dragged pin stops moving
  Cost drawn_cost_ = Cost::activated;
  Allowed drawn_allowed_ = Allowed::all_grains;
  std::map<int, LayerPolicy> drawn_pins_;
};

}  // namespace ladimo::ui
