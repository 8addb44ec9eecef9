// Shows what the router of a layer does: routing weights with the threshold, expert load, the weights and the
// load of all layers, co-activation.
#pragma once

#include <optional>

#include <QWidget>

#include "policy/layer_policy.h"

class QComboBox;
class QLabel;
class QTabWidget;

namespace ladimo::ui {

class LoadPlot;
class MatrixPlot;
class Note;
class PolicyEditor;
class RidgePlot;
class RoutingPlot;

class RouterInspector : public QWidget {
  Q_OBJECT
 public:
  explicit RouterInspector(PolicyEditor& editor, QWidget* parent = nullptr);
  void select_layer(int layer);

 signals:
  void layer_selected(int layer);

 private:
  void arrange();
  void make_grains();
  /// The product whose inputs are shown; none: the experts.
  std::optional<Product> product() const;
  void show_grain();
  void show_ridges();
  void follow();
  void follow_load();
  void follow_layers();
  void move_threshold(double threshold);

  PolicyEditor& editor_;
  int layer_ = -1;
  QLabel* title_;
  QComboBox* grain_;
  Note* warning_;
  RoutingPlot* weights_;
  LoadPlot* load_;
  RidgePlot* ridges_;
  MatrixPlot* layers_;
  MatrixPlot* together_;
  QTabWidget* all_layers_;
};

}  // namespace ladimo::ui
