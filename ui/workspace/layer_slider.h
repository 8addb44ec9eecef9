// The slider of one layer, from accuracy to latency along its measured ladder. Moving it pins the layer.
#pragma once

#include <vector>

#include <QWidget>

#include "ui/models/policy_editor.h"

class QCheckBox;
class QLabel;

namespace ladimo::ui {

class SettlingSlider;

class LayerSlider : public QWidget {
  Q_OBJECT
 public:
  explicit LayerSlider(PolicyEditor& editor, QWidget* parent = nullptr);
  void select_layer(int layer);

 private:
  void follow();
  void toggle_pin(bool pinned);

  PolicyEditor& editor_;
  int layer_ = -1;
  std::vector<LayerPolicy> ladder_;  // dense, then cheaper thresholds with ever fewer experts on
  QCheckBox* pin_;
  QLabel* accurate_;
  SettlingSlider* slider_;
  QLabel* cheap_;
};

}  // namespace ladimo::ui
