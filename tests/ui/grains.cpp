// Neurons and inputs beside experts: in the editor, in words, in the inspector and beside the slider.
#include <doctest/doctest.h>

#include <QComboBox>

#include "example_run.h"
#include "support/refusals.h"
#include "ui/models/layer_model.h"
#include "ui/models/sentences.h"
#include "ui/plots/routing_plot.h"
#include "ui/workspace/router_inspector.h"

using namespace ladimo;
using namespace ladimo::ui;
using testing::example_run;

namespace {

bool cuts(const Policy& policy) {
  return std::ranges::any_of(policy.layers, [](const LayerPolicy& layer) { return layer.cuts_inputs(); });
}

bool has_experts(const Policy& policy) {
  return std::ranges::any_of(policy.layers,
                             [](const LayerPolicy& layer) { return layer.kind != LayerPolicy::Kind::dense; });
}

/// Chooses as a person does.
void choose(QComboBox& box, int index) {
  box.setCurrentIndex(index);
  emit box.activated(index);
}

}  // namespace

TEST_CASE("the editor leaves out what is allowed, at the same budget") {
  PolicyEditor editor(example_run({.cuts = true}));
  CHECK(editor.knows_inputs());
  CHECK_FALSE(PolicyEditor(example_run()).knows_inputs());
  editor.set_allowed(Allowed::all_grains);
  editor.set_tradeoff(0.5);
  editor.commit();
  const Policy all = editor.policy();
  CHECK(cuts(all));
  editor.set_allowed(Allowed::neurons_and_inputs);
  CHECK(cuts(editor.policy()));
  CHECK_FALSE(has_experts(editor.policy()));
  CHECK(editor.policy().predicted.activated_fraction ==
        doctest::Approx(all.predicted.activated_fraction).epsilon(0.01));
  editor.set_allowed(Allowed::experts);
  CHECK_FALSE(cuts(editor.policy()));
  CHECK(has_experts(editor.policy()));
  editor.undo().undo();
  CHECK(editor.allowed() == Allowed::neurons_and_inputs);
}

TEST_CASE("a policy that was chosen with all grains is found again") {
  const auto run = example_run({.cuts = true});
  PolicyEditor first(run);
  first.set_allowed(Allowed::all_grains);
  first.set_tradeoff(0.37);
  PolicyEditor second(run);
  second.load(first.policy());
  CHECK(same_choice(second.policy(), first.policy()));
  CHECK(second.allowed() == Allowed::all_grains);
  CHECK(second.pins().empty());
}

TEST_CASE("cuts are put into words") {
  LayerPolicy policy = LayerPolicy::above(0.0312);
  policy.cut(Product::down) = {0.1, 0.6};
  CHECK(in_words(policy) == "threshold 0.0312, 60.0 % of the neurons");
  policy.cut(Product::qkv) = {0.1, 0.7};
  CHECK(in_words(policy) == "threshold 0.0312, 60.0 % of the neurons, 90.0 % of the inputs");
  PolicyEditor editor(example_run({.not_converted = 3, .cuts = true}));
  LayerPolicy cut;
  cut.cut(Product::o).threshold = 0.1;
  editor.pin(3, cut);
  CHECK(layer_title(editor, 3) == "Layer 3  ·  not converted  ·  pinned");
  const QString words = cut_consequence(editor, 3, Product::o);
  CHECK(words.startsWith("τ 0.100: 80.0 % of the inputs of o run  ·  KL"));
  CHECK(words.endsWith("7.37K fewer parameters per token (predicted)"));
  CHECK(cut_consequence(editor, 3, Product::down).startsWith("All neurons of this layer run."));
}

TEST_CASE("the inspector shows every grain with a threshold to drag, also of layers without experts") {
  PolicyEditor editor(example_run({.not_converted = 3, .cuts = true}));
  editor.set_allowed(Allowed::experts);
  RouterInspector inspector(editor);
  inspector.select_layer(3);
  auto& grain = *inspector.findChild<QComboBox*>("grain");
  auto& plot = *inspector.findChild<RoutingPlot*>("routing_plot");
  CHECK(grain.count() == 5);
  CHECK(plot.numbers().size() <= 1);  // no experts
  choose(grain, 1);
  CHECK(plot.numbers().size() > 100);
  CHECK_FALSE(plot.threshold());
  emit plot.changed(0.1);
  CHECK(editor.pins().contains(3));
  CHECK(editor.policy().layers[3].cut(Product::down).threshold == 0.1);
  CHECK(plot.threshold() == 0.1);
  choose(grain, 2);
  CHECK_FALSE(plot.threshold());
  emit plot.changed(0.2);
  CHECK(editor.policy().layers[3].cut(Product::gate_up).threshold == 0.2);
  CHECK(editor.policy().layers[3].cut(Product::down).threshold == 0.1);  // stays
  inspector.select_layer(0);
  CHECK_FALSE(plot.threshold());
  choose(grain, 0);
  emit plot.changed(0.02);
  CHECK(editor.policy().layers[0].threshold == 0.02);
}

TEST_CASE("in a run without experts the inspector begins with neurons and shows no experts") {
  auto run = std::make_shared<RunData>(*example_run({.cuts = true}));
  run->recipe.layers.clear();
  PolicyEditor editor(run);
  RouterInspector inspector(editor);
  inspector.select_layer(0);
  const auto* grain = inspector.findChild<QComboBox*>(QStringLiteral("grain"));
  REQUIRE(grain != nullptr);
  CHECK(grain->count() == 4);
  CHECK(grain->currentText() == product_in_words(Product::down));
  CHECK_FALSE(inspector.findChild<QWidget*>(QStringLiteral("load_plot"))->isVisibleTo(&inspector));
}

TEST_CASE("the table of layers counts the neurons and inputs that are used") {
  PolicyEditor editor(example_run({.cuts = true}));
  editor.set_allowed(Allowed::experts);
  LayerModel model(editor);
  const auto text = [&](int column) { return model.index(1, column).data().toString(); };
  LayerPolicy policy;
  editor.pin(1, policy);
  CHECK(text(LayerModel::neurons_used) == "100");
  policy.cut(Product::down).threshold = 0.1;
  policy.cut(Product::gate_up).threshold = 0.2;
  editor.pin(1, policy);
  CHECK(text(LayerModel::neurons_used) == "80.0");
  CHECK(text(LayerModel::inputs_share) == "86.7");
}
