#include "ui/workspace/router_inspector.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSplitter>
#include <QTabWidget>
#include <QVBoxLayout>

#include "ui/models/policy_editor.h"
#include "ui/models/sentences.h"
#include "ui/plots/load_plot.h"
#include "ui/plots/matrix_plot.h"
#include "ui/plots/routing_plot.h"
#include "ui/settings/settings.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

MatrixPlot::Words layers_words() {
  return {.title = QObject::tr("How often every expert runs"),
          .empty = QObject::tr("How often every expert of every layer runs appears here with the routing "
                               "profile."),
          .row = QObject::tr("layer"),
          .column = QObject::tr("routed expert"),
          .value = QObject::tr("% of the tokens"),
          .reading = QObject::tr("Layer %1, expert %2: runs for %3 % of the tokens\nClick to select the "
                                 "layer"),
          .unknown = QObject::tr("Layer %1 was not converted: it has no experts")};
}

MatrixPlot::Words together_words() {
  return {.title = QObject::tr("Which experts run together"),
          .empty = QObject::tr("Which experts run together appears here with the routing profile."),
          .row = QObject::tr("expert that runs"),
          .column = QObject::tr("expert that runs with it"),
          .value = QObject::tr("% of its tokens"),
          .reading = QObject::tr("When expert %1 runs, expert %2 runs too for %3 % of the tokens"),
          .unknown = QString()};
}

/// The threshold with which as many experts run as with `policy`, which is a top-k.
double threshold_like(const PolicyEditor& editor, int layer, const LayerPolicy& policy) {
  double low = std::log(histogram_low), high = std::log(histogram_high);
  constexpr int halvings = 24;
  for (int i = 0; i < halvings; ++i) {
    const double middle = (low + high) / 2;
    const double experts = editor.price(layer, LayerPolicy::above(std::exp(middle))).policy.mean_experts;
    (experts > policy.k ? low : high) = middle;
  }
  return std::exp((low + high) / 2);
}

/// Per cent of the tokens for which each expert is on at its layer's middle threshold, [layers, routed].
Matrix load_of_layers(const RunData& run) {
  Matrix matrix;
  if (!run.profile) return matrix;
  matrix.rows = run.layer_count();
  for (const LayerProfile& layer : run.profile->layers)
    matrix.columns = std::max(matrix.columns, layer.routed);
  const auto columns = static_cast<std::size_t>(matrix.columns);
  matrix.values.assign(static_cast<std::size_t>(matrix.rows) * columns,
                       std::numeric_limits<double>::quiet_NaN());
  for (const LayerProfile& layer : run.profile->layers)
    std::ranges::transform(layer.expert_load,
                           matrix.values.begin() + static_cast<std::ptrdiff_t>(layer.layer) * matrix.columns,
                           [](double share) { return 100 * share; });
  return matrix;
}

std::vector<LoadPlot::Text> loads_by_text(const RunData& run, const LayerProfile& layer) {
  std::vector<LoadPlot::Text> texts;
  for (std::size_t file = 0; file < layer.domain_load.size(); ++file) {
    if (layer.domain_load[file].size() != layer.expert_load.size()) continue;
    texts.push_back({file < run.recipe.text.size()
                         ? QString::fromStdString(run.recipe.text[file].filename().string())
                         : QObject::tr("text %1").arg(file + 1),
                     layer.domain_load[file]});
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
      layers_(new MatrixPlot(layers_words())),
      together_(new MatrixPlot(together_words())) {
  title_->setObjectName(QStringLiteral("layer_title"));
  QFont larger = font();
  larger.setPointSizeF(larger.pointSizeF() * 1.15);
  larger.setWeight(QFont::DemiBold);
  title_->setFont(larger);
  warning_->setObjectName(QStringLiteral("router_warning"));
  weights_->setObjectName(QStringLiteral("routing_plot"));
  load_->setObjectName(QStringLiteral("load_plot"));
  layers_->setObjectName(QStringLiteral("layers_plot"));
  together_->setObjectName(QStringLiteral("coactivation_plot"));
  title_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  make_grains();
  arrange();
  layers_->set_matrix(load_of_layers(editor_.run()), 100);
  connect(layers_, &MatrixPlot::row_clicked, this, &RouterInspector::layer_selected);
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
  grain_->setToolTip(tr("What of this layer is weighed: experts by the router, neurons and inputs by size"));
  grain_->setVisible(editor_.knows_inputs());
  connect(grain_, &QComboBox::activated, this, &RouterInspector::show_grain);
}

std::optional<Product> RouterInspector::product() const {
  const QVariant chosen = grain_->currentData();
  return chosen.isValid() ? std::optional(static_cast<Product>(chosen.toInt())) : std::nullopt;
}

void RouterInspector::arrange() {
  const int space = spacing(*this);
  auto* matrices = new QTabWidget;
  matrices->setDocumentMode(true);
  matrices->addTab(layers_, tr("Layers × experts"));
  matrices->addTab(together_, tr("Co-activation"));
  auto* right = new QSplitter(Qt::Vertical);
  right->addWidget(load_);
  right->addWidget(matrices);
  right->setStretchFactor(0, 2);
  right->setStretchFactor(1, 3);
  auto* split = new QSplitter(Qt::Horizontal);
  split->addWidget(weights_);
  split->addWidget(right);
  right->setVisible(!editor_.run().recipe.layers.empty());  // it shows experts
  split->setStretchFactor(0, 4);
  split->setStretchFactor(1, 3);
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
  top->addWidget(title_, 1);
  top->addWidget(grain_);
  column->addLayout(top);
  column->addWidget(warning_);
  column->addWidget(split, 1);
}

void RouterInspector::select_layer(int layer) {
  layer_ = layer;
  const RunData& run = editor_.run();
  const LayerProfile* profile = run.profile_of(layer);
  load_->set_load(profile ? profile->expert_load : std::vector<double>(),
                  profile ? loads_by_text(run, *profile) : std::vector<LoadPlot::Text>());
  if (several_texts(run)) load_->set_caption(profile ? texts_caption(*load_, *profile) : QString());
  together_->set_matrix(coactivation_of(profile), 100);
  layers_->set_row(layer);
  const QString warning = router_warning(run, layer);
  warning_->setText(QStringLiteral("⚠ ") + warning);
  warning_->setVisible(!warning.isEmpty());
  show_grain();
}

void RouterInspector::show_grain() {
  const RunData& run = editor_.run();
  const LayerProfile* profile = run.profile_of(layer_);
  const auto chosen = product();
  weights_->set_threshold({});
  if (!chosen) {
    weights_->set_words_of_experts();
    weights_->set_counts(profile ? profile->all : HistogramCounts(),
                         profile ? profile->top1 : HistogramCounts());
  } else {
    const bool neurons = *chosen == Product::down;
    weights_->set_words(
        neurons ? tr("size of a neuron, |h| ‖down‖ (log scale)") : tr("size of an input, |x| (log scale)"),
        tr("Those at or above the threshold run. What is smaller is left out, with the weights that it would "
           "be multiplied with. Drag the line, or move it with the arrow keys. A dashed line decides nothing "
           "yet. The first token of a text leaves out nothing."));
    const InputProfile* inputs = run.inputs_of(layer_);
    weights_->set_counts(inputs ? inputs->of(*chosen) : HistogramCounts());
  }
  follow();
}

void RouterInspector::follow() {
  if (layer_ < 0) return;
  const LayerPolicy& policy = editor_.policy().layers[static_cast<std::size_t>(layer_)];
  title_->setText(layer_title(editor_, layer_));
  if (const auto chosen = product()) {
    const InputCut& cut = policy.cut(*chosen);
    weights_->set_caption(cut_consequence(editor_, layer_, *chosen));
    weights_->set_idle(cut.threshold <= 0);
    if (cut.threshold > 0)
      weights_->set_threshold(cut.threshold);
    else if (editor_.knows_inputs())
      weights_->set_resting_line(0, tr("all"));
    return;
  }
  weights_->set_caption(layer_consequence(editor_, layer_));
  weights_->set_idle(policy.kind == LayerPolicy::Kind::dense);
  show_line(policy);
}

/// Shows a dashed line in a layer without a threshold, which a person can drag to give it one.
void RouterInspector::show_line(const LayerPolicy& policy) {
  if (policy.kind == LayerPolicy::Kind::threshold)
    weights_->set_threshold(policy.threshold);
  else if (editor_.run().profile_of(layer_) == nullptr)
    weights_->set_threshold({});
  else if (policy.kind == LayerPolicy::Kind::dense)
    weights_->set_resting_line(0, tr("dense"));
  else
    weights_->set_resting_line(threshold_like(editor_, layer_, policy), tr("as %1").arg(in_words(policy)));
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
