#include "ui/workspace/router_inspector.h"

#include <algorithm>
#include <limits>

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSplitter>
#include <QTabWidget>
#include <QVBoxLayout>

#include "ui/models/division.h"
#include "ui/models/layer_load.h"
#include "ui/models/policy_editor.h"
#include "ui/models/sentences.h"
#include "ui/plots/load_plot.h"
#include "ui/plots/matrix_plot.h"
#include "ui/plots/ridge_plot.h"
#include "ui/plots/routing_plot.h"
#include "ui/settings/settings.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

MatrixPlot::Words layers_words() {
  return {.about = Help::load_of_layers,
          .title = {},
          .empty = QObject::tr(
              "How often every expert of every layer runs appears here once the run has a routing profile."),
          .row = QObject::tr("Layer"),
          .column = QObject::tr("Routed expert"),
          .value = QObject::tr("% of tokens"),
          .reading = QObject::tr("Layer %1, expert %2: runs for %3 % of the tokens\nClick to select the "
                                 "layer")};
}

MatrixPlot::Words together_words() {
  return {.about = Help::together,
          .title = QObject::tr("Which experts run together, with half of them on"),
          .empty = QObject::tr("Which experts run together appears here once the run has a routing profile."),
          .row = QObject::tr("Expert that runs"),
          .column = QObject::tr("Expert that runs with it"),
          .value = QObject::tr("% of its tokens"),
          .reading = QObject::tr("When expert %1 runs, expert %2 runs too for %3 % of the tokens")};
}

/// Runs of earlier versions counted the load with half of the experts on, and not under other policies.
QString title_of_loads(bool of_policy) {
  return of_policy ? QObject::tr("How often every expert runs")
                   : QObject::tr("How often every expert runs (half of the experts on; not this policy)");
}

QString title_of_load(bool of_policy) {
  return of_policy ? QObject::tr("Expert load")
                   : QObject::tr("Expert load (half of the experts on; not this policy)");
}

/// Per cent of the tokens for which each expert is on, [layers, routed].
Matrix matrix_of(const std::vector<LayerLoad>& loads) {
  Matrix matrix;
  matrix.rows = static_cast<int>(loads.size());
  for (const LayerLoad& load : loads) {
    matrix.columns = std::max(matrix.columns, static_cast<int>(load.experts.size()));
    matrix.unknown.push_back(load.why_none);
  }
  const auto columns = static_cast<std::size_t>(matrix.columns);
  matrix.values.assign(loads.size() * columns, std::numeric_limits<double>::quiet_NaN());
  for (std::size_t layer = 0; layer < loads.size(); ++layer)
    std::ranges::transform(loads[layer].experts,
                           matrix.values.begin() + static_cast<std::ptrdiff_t>(layer * columns),
                           [](double share) { return 100 * share; });
  return matrix;
}

std::vector<LoadPlot::Text> loads_by_text(const RunData& run, const LayerLoad& load) {
  std::vector<LoadPlot::Text> texts;
  for (std::size_t file = 0; file < load.by_file.size(); ++file) {
    if (load.by_file[file].size() != load.experts.size()) continue;
    texts.push_back({file < run.recipe.text.size()
                         ? QString::fromStdString(run.recipe.text[file].filename().string())
                         : QObject::tr("text %1").arg(file + 1),
                     load.by_file[file]});
  }
  return texts;
}

/// The legend of the texts' marks, and how similar the texts' loads are.
QString texts_caption(const LoadPlot& plot, const LayerProfile& layer) {
  const QString sentence = stability_sentence(layer);
  return sentence.isEmpty() ? sentence : plot.legend() + QStringLiteral("<br>") + sentence;
}

bool several_texts(const RunData& run) {
  return run.profile && std::ranges::any_of(run.profile->layers, [](const LayerProfile& layer) {
           return layer.domain_load.size() > 1;
         });
}

Matrix coactivation_of(const LayerProfile* layer) {
  if (layer == nullptr) return {};
  Matrix matrix{layer->routed, layer->routed, layer->coactivation};
  for (double& share : matrix.values) share *= 100;
  return matrix;
}

}  // namespace

RouterInspector::RouterInspector(PolicyEditor& editor, QWidget* parent)
    : QWidget(parent),
      editor_(editor),
      title_(new QLabel),
      grain_(new QComboBox),
      warning_(new Note(Note::Kind::plain)),
      weights_(new RoutingPlot),
      load_(new LoadPlot),
      ridges_(new RidgePlot),
      layers_(new MatrixPlot(layers_words())),
      together_(new MatrixPlot(together_words())),
      all_layers_(new QTabWidget) {
  title_->setObjectName(QStringLiteral("layer_title"));
  QFont larger = font();
  larger.setPointSizeF(larger.pointSizeF() * 1.15);
  larger.setWeight(QFont::DemiBold);
  title_->setFont(larger);
  title_->setSizePolicy(QSizePolicy::Ignored,
                        QSizePolicy::Preferred);  // a longer title must not move the rest
  warning_->setObjectName(QStringLiteral("router_warning"));
  weights_->setObjectName(QStringLiteral("routing_plot"));
  load_->setObjectName(QStringLiteral("load_plot"));
  ridges_->setObjectName(QStringLiteral("ridge_plot"));
  layers_->setObjectName(QStringLiteral("layers_plot"));
  together_->setObjectName(QStringLiteral("coactivation_plot"));
  title_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  make_grains();
  arrange();
  connect(layers_, &MatrixPlot::row_clicked, this, &RouterInspector::layer_selected);
  connect(ridges_, &RidgePlot::row_clicked, this, &RouterInspector::layer_selected);
  connect(weights_, &RoutingPlot::changed, this, &RouterInspector::move_threshold);
  connect(weights_, &RoutingPlot::committed, &editor_, &PolicyEditor::commit);
  connect(&editor_, &PolicyEditor::changed, this, &RouterInspector::follow);
}

void RouterInspector::make_grains() {
  grain_->setObjectName(QStringLiteral("grain"));
  if (!editor_.run().recipe.layers.empty()) grain_->addItem(tr("experts"));
  for (const Product product : {Product::down, Product::gate_up, Product::qkv, Product::o})
    grain_->addItem(product_in_words(product), static_cast<int>(product));
  grain_->setAccessibleName(tr("Grain"));
  grain_->setToolTip(tr("Whose histogram is shown: experts by routing weight, neurons and inputs by size"));
  grain_->setVisible(editor_.knows_inputs());
  connect(grain_, &QComboBox::activated, this, &RouterInspector::show_grain);
}

std::optional<Product> RouterInspector::product() const {
  const QVariant chosen = grain_->currentData();
  return chosen.isValid() ? std::optional(static_cast<Product>(chosen.toInt())) : std::nullopt;
}

void RouterInspector::arrange() {
  const int space = spacing(*this);
  all_layers_->setDocumentMode(true);
  all_layers_->setObjectName(QStringLiteral("all_layers"));
  all_layers_->addTab(ridges_, tr("All layers"));
  all_layers_->addTab(layers_, tr("Loads"));
  all_layers_->addTab(together_, tr("Co-activation"));
  connect(all_layers_, &QTabWidget::currentChanged, this, &RouterInspector::follow_layers);
  auto* right = new QSplitter(Qt::Vertical);
  right->addWidget(load_);
  right->addWidget(all_layers_);
  right->setStretchFactor(0, 2);
  right->setStretchFactor(1, 3);
  auto* split = new QSplitter(Qt::Horizontal);
  split->addWidget(weights_);
  split->addWidget(right);
  if (editor_.run().recipe.layers.empty()) {  // there are no experts
    load_->hide();
    all_layers_->setTabVisible(1, false);
    all_layers_->setTabVisible(2, false);
  }
  split->setStretchFactor(0, 4);
  split->setStretchFactor(1, 3);
  split->setSizes(
      {400, 300});  // in proportion: hints would leave the right side too little in a small window
  for (QSplitter* splitter : {right, split}) {
    splitter->setChildrenCollapsible(false);
    splitter->setHandleWidth(space);
  }
  remember_splitter(*right, keys::inspector_rows);
  remember_splitter(*split, keys::inspector_columns);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins({});
  column->setSpacing(space / 2);
  auto* top = new QHBoxLayout;
  top->setSpacing(2 * space);
  top->addWidget(title_, 1);
  top->addWidget(grain_);
  column->addLayout(top);
  column->addWidget(warning_);
  column->addWidget(split, 1);
}

void RouterInspector::select_layer(int layer) {
  layer_ = layer;
  const RunData& run = editor_.run();
  together_->set_matrix(coactivation_of(run.profile_of(layer)), 100);
  layers_->set_row(layer);
  ridges_->set_row(layer);
  const QString warning = router_warning(run, layer);
  warning_->setText(QStringLiteral("⚠ ") + warning);
  warning_->setVisible(!warning.isEmpty());
  show_grain();
}

void RouterInspector::show_grain() {
  const RunData& run = editor_.run();
  const auto chosen = product();
  if (!chosen) {
    weights_->set_words_of_experts();
  } else {
    const bool neurons = *chosen == Product::down;
    weights_->set_words(
        tr("Sizes of the %1").arg(product_in_words(*chosen)),
        neurons ? tr("Size of a neuron, |h| ‖down‖ (log scale)") : tr("Size of an input, |x| (log scale)"),
        neurons ? tr("neurons") : tr("inputs"),
        tr("Those at or above the threshold run. Smaller ones are skipped, and so are the weights they would "
           "be multiplied with. Drag the line, or move it with the arrow keys. A dashed line has no effect "
           "yet. The first token of a text skips nothing."));
  }
  const bool converted = run.tradeoff->layers[static_cast<std::size_t>(layer_)].candidates.size() > 1;
  weights_->set_empty_words(
      chosen || converted
          ? tr("The run has no histogram of this layer (profile.json). Its policy holds all the same.")
          : tr("Layer %1 was not converted: it has no router.").arg(layer_));
  const LayerProfile* profile = run.profile_of(layer_);
  const HistogramCounts* counts = weights_of(run, layer_, chosen);
  weights_->set_division({});  // what was shown before must not stretch the axis
  weights_->set_counts(counts ? *counts : HistogramCounts(),
                       !chosen && profile ? profile->top1 : HistogramCounts());
  show_ridges();
  follow();
}

/// The ridges are those of the chosen grain.
void RouterInspector::show_ridges() {
  std::vector<HistogramCounts> layers;
  for (int layer = 0; layer < editor_.run().layer_count(); ++layer) {
    const HistogramCounts* counts = weights_of(editor_.run(), layer, product());
    layers.push_back(counts ? *counts : HistogramCounts());
  }
  ridges_->set_title(
      tr("All layers: %1").arg(product() ? product_in_words(*product()) : tr("routing weights")));
  ridges_->set_counts(std::move(layers),
                      product() ? tr("Size (log scale)") : tr("Routing weight (log scale)"));
}

void RouterInspector::follow() {
  if (layer_ < 0) return;
  title_->setText(layer_title(editor_, layer_));
  title_->setToolTip(title_->text());
  const auto chosen = product();
  weights_->set_caption(chosen ? cut_consequence(editor_, layer_, *chosen)
                               : layer_consequence(editor_, layer_));
  weights_->set_division(division_of(editor_, layer_, chosen));
  follow_load();
  follow_layers();
}

void RouterInspector::follow_load() {
  const LayerLoad load = load_of(editor_, layer_);
  load_->set_title(title_of_load(load.of_policy));
  load_->set_empty_words(load.why_none);
  load_->set_load(load.experts, loads_by_text(editor_.run(), load));
  if (!several_texts(editor_.run())) return;
  const LayerProfile* profile = editor_.run().profile_of(layer_);
  load_->set_caption(profile && !load.by_file.empty() ? texts_caption(*load_, *profile) : QString());
}

/// Draws only what is in front.
void RouterInspector::follow_layers() {
  if (all_layers_->currentWidget() == ridges_) {
    std::vector<Division> divisions;
    for (int layer = 0; layer < editor_.run().layer_count(); ++layer)
      divisions.push_back(division_of(editor_, layer, product()));
    ridges_->set_divisions(std::move(divisions));
  } else if (all_layers_->currentWidget() == layers_) {
    std::vector<LayerLoad> loads;
    for (int layer = 0; layer < editor_.run().layer_count(); ++layer)
      loads.push_back(load_of(editor_, layer));
    layers_->set_title(title_of_loads(std::ranges::all_of(loads, &LayerLoad::of_policy)));
    layers_->set_matrix(matrix_of(loads), 100);
  }
}

void RouterInspector::move_threshold(double threshold) {
  LayerPolicy policy = editor_.policy().layers[static_cast<std::size_t>(layer_)];
  if (const auto chosen = product()) {
    policy.cut(*chosen).threshold = threshold;
  } else {
    const auto cuts = policy.cuts;
    policy = LayerPolicy::above(threshold);
    policy.cuts = cuts;
  }
  editor_.pin(layer_, policy);
}

}  // namespace ladimo::ui
