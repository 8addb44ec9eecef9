// Shows what the router of a layer does: routing weights with the threshold, expert load, the load of all
// layers, co-activation.
#pragma once

#include <QWidget>

class QLabel;

namespace ladimo {
struct LayerPolicy;
}

namespace ladimo::ui {

class LoadPlot;
class MatrixPlot;
class Note;
class PolicyEditor;
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
  void follow();
  void show_line(const LayerPolicy& policy);
  void move_threshold(double threshold);

  PolicyEditor& editor_;
  int layer_ = -1;
  QLabel* title_;
  Note* warning_;
  RoutingPlot* weights_;
  LoadPlot* load_;
  MatrixPlot* layers_;
  MatrixPlot* together_;
};

}  // namespace ladimo::ui
