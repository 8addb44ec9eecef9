#include "ui/workspace/workspace_page.h"

#include <algorithm>

#include <QSplitter>
#include <QVBoxLayout>

#include "ui/models/policy_editor.h"
#include "ui/models/run_data.h"
#include "ui/settings/settings.h"
#include "ui/widgets/spacing.h"
#include "ui/workspace/frontier_bar.h"
#include "ui/workspace/layer_panel.h"
#include "ui/workspace/router_inspector.h"

namespace ladimo::ui {

namespace {

/// The first layer whose router chooses under the current policy, else the first with experts, else the
/// first.
int first_routed(const PolicyEditor& editor) {
  const auto& layers = editor.policy().layers;
  const auto sparse = std::ranges::find_if(
      layers, [](const LayerPolicy& layer) { return layer.kind != LayerPolicy::Kind::dense; });
  if (sparse != layers.end()) return static_cast<int>(sparse - layers.begin());
  const auto& tables = editor.run().tradeoff->layers;
  const auto converted =
      std::ranges::find_if(tables, [](const LayerTable& layer) { return layer.candidates.size() > 1; });
  return converted == tables.end() ? 0 : converted->layer;
}

}  // namespace

WorkspacePage::WorkspacePage(std::shared_ptr<const RunData> run, PolicyEditor& editor, ServeClient& serve,
                             QWidget* parent)
    : QWidget(parent),
      run_(std::move(run)),
      layers_(new LayerPanel(editor)),
      router_(new RouterInspector(editor)),
      frontier_(new FrontierBar(editor, serve)) {
  const int space = spacing(*this);
  auto* above = new QSplitter(Qt::Horizontal);
  above->addWidget(layers_);
  above->addWidget(router_);
  above->setStretchFactor(0, 0);
  above->setStretchFactor(1, 1);
  auto* whole = new QSplitter(Qt::Vertical);
  whole->addWidget(above);
  whole->addWidget(frontier_);
  whole->setStretchFactor(0, 3);
  whole->setStretchFactor(1, 2);
  for (QSplitter* splitter : {above, whole}) {
    splitter->setChildrenCollapsible(false);
    splitter->setHandleWidth(2 * space);
  }
  remember_splitter(*above, keys::workspace_columns);
  remember_splitter(*whole, keys::workspace_rows);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(space, space, space, space);
  column->addWidget(whole);
  connect(layers_, &LayerPanel::layer_selected, router_, &RouterInspector::select_layer);
  connect(router_, &RouterInspector::layer_selected, this, &WorkspacePage::select_layer);
  connect(frontier_, &FrontierBar::save_wanted, this, &WorkspacePage::save_wanted);
  select_layer(first_routed(editor));
}

// A focus proxy would let Tab reach only the slider.
void WorkspacePage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  frontier_->focus_slider();
}

void WorkspacePage::select_layer(int layer) { layers_->select_layer(layer); }
int WorkspacePage::selected_layer() const { return layers_->selected_layer(); }
void WorkspacePage::find_layer() { layers_->find(); }
void WorkspacePage::measure() { frontier_->measure(); }

}  // namespace ladimo::ui
