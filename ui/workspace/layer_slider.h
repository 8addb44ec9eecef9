// Pins of the selected layers: a slider from accuracy to latency along their measured ladders, and a menu of
// the other kinds of policy. Moving the slider pins the layers.
#pragma once

#include <vector>

#include <QWidget>

#include "ui/models/policy_editor.h"

class QCheckBox;
class QLabel;
class QToolButton;

namespace ladimo::ui {

class SettlingSlider;

class LayerSlider : public QWidget {
  Q_OBJECT
 public:
  explicit LayerSlider(PolicyEditor& editor, QWidget* parent = nullptr);
  /// The slider shows the first one.
  void select_layers(std::vector<int> layers);

 private:
  void follow();
  void move(int rung);
  void toggle_pin(bool pinned);
  void fill_menu();
  void pin_as(const LayerPolicy& policy);
  void pin(const std::vector<Pin>& pins);

  PolicyEditor& editor_;
  std::vector<int> layers_;          // those that can be pinned
  std::vector<int> converted_;       // those of them with experts, which the slider moves
  std::vector<LayerPolicy> ladder_;  // dense, then cheaper thresholds with ever fewer experts on
  QCheckBox* pin_;
  QToolButton* pin_as_;
  QLabel* accurate_;
  SettlingSlider* slider_;
  QLabel* cheap_;
};

}  // namespace ladimo::ui
