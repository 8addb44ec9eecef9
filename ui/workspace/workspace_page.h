// The page where the policy of a run is chosen: the layers on the left, the selected layer's router in the
// centre, the frontier and the trade-off slider below.
#pragma once

#include <memory>

#include <QWidget>

namespace ladimo::ui {

class FrontierBar;
class LayerPanel;
class PolicyEditor;
class RouterInspector;
class ServeClient;
struct RunData;

class WorkspacePage : public QWidget {
  Q_OBJECT
 public:
  /// `editor` edits the policy of `run`; it and `serve` must outlive the page.
  WorkspacePage(std::shared_ptr<const RunData> run, PolicyEditor& editor, ServeClient& serve,
                QWidget* parent = nullptr);

  /// Selects the layer in every view.
  void select_layer(int layer);
  int selected_layer() const;
  void find_layer();
  void measure();

 signals:
  /// The person wants the chosen policy to be saved as the run's.
  void save_wanted();

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  std::shared_ptr<const RunData> run_;
  LayerPanel* layers_;
  RouterInspector* router_;
  FrontierBar* frontier_;
};

}  // namespace ladimo::ui
