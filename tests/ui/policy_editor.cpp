#include "ui/models/policy_editor.h"

#include <doctest/doctest.h>

#include <algorithm>

#include <QSignalSpy>

#include "example_run.h"
#include "support/refusals.h"
#include "ui/models/run_history.h"

using namespace ladimo;
using namespace ladimo::ui;
using testing::example_run;

namespace {

bool same_layers(const Policy& a, const Policy& b) {
  for (std::size_t l = 0; l < a.layers.size(); ++l)
    if (to_string(a.layers[l]) != to_string(b.layers[l])) return false;
  return a.layers.size() == b.layers.size();
}

}  // namespace

TEST_CASE("the editor starts where the run's policy is") {
  const auto run = example_run();
  const PolicyEditor editor(run);
  CHECK(same_layers(editor.policy(), *run->policy));
  CHECK(editor.tradeoff() == doctest::Approx(0.4));
  CHECK(editor.pins().empty());
  CHECK(editor.policy().predicted.decode_ms);  // the tables give times although the policy file has none

  auto show = testing::example_show();
  show["policy"] = nullptr;
  CHECK(PolicyEditor(testing::run_of(show)).tradeoff() == 0.5);
}

TEST_CASE("the slider walks from all dense to the cheapest") {
  PolicyEditor editor(example_run());
  QSignalSpy changed(&editor, &PolicyEditor::changed);
  double kl = -1;
  for (const double tradeoff : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    editor.set_tradeoff(tradeoff);
    CHECK(editor.policy().predicted.kl > kl);
    kl = editor.policy().predicted.kl;
  }
  CHECK(changed.count() == 5);
  editor.set_tradeoff(1.0);  // the same position is not a move
  CHECK(changed.count() == 5);
  editor.set_tradeoff(0);
  for (const LayerPolicy& layer : editor.policy().layers) CHECK(layer == LayerPolicy::dense());
}

TEST_CASE("moves until the handle is released are one undo step") {
  PolicyEditor editor(example_run());
  for (const double tradeoff : {0.5, 0.6, 0.7}) editor.set_tradeoff(tradeoff);
  editor.commit();
  editor.set_tradeoff(0.9);
  editor.commit();
  CHECK(editor.undo().count() == 2);
  editor.undo().undo();
  CHECK(editor.tradeoff() == 0.7);
  editor.undo().undo();
  CHECK(editor.tradeoff() == doctest::Approx(0.4));
  CHECK(same_layers(editor.policy(), *editor.run().policy));
  editor.undo().redo();
  CHECK(editor.tradeoff() == 0.7);
}

TEST_CASE("a pinned layer stays and the others are solved around it") {
  PolicyEditor editor(example_run());
  const Policy before = editor.policy();
  editor.pin(2, LayerPolicy::dense());
  editor.pin(2, LayerPolicy::above(0.02));
  editor.commit();
  CHECK(editor.undo().count() == 1);
  CHECK(editor.policy().layers[2].threshold == 0.02);
  CHECK(editor.policy().layers[2].mean_experts > 0);  // interpolated between two rungs
  CHECK(editor.pins().size() == 1);
  editor.set_tradeoff(0.8);
  CHECK(editor.policy().layers[2].threshold == 0.02);
  editor.unpin({2});
  CHECK(editor.policy().layers[2].threshold != 0.02);
  editor.undo().undo();
  CHECK(editor.pins().size() == 1);

  for (int layer = 0; layer < 6; ++layer) editor.pin(layer, LayerPolicy::dense());
  CHECK(editor.policy().predicted.kl == 0);  // nothing is left to solve
  editor.reset_pins();
  CHECK(editor.pins().empty());
  editor.set_tradeoff(before.tradeoff);
  CHECK(same_layers(editor.policy(), before));
}

TEST_CASE("pinning a layer as it is changes nothing, and another pin keeps the budget") {
  PolicyEditor editor(example_run());
  const Policy before = editor.policy();
  editor.pin(2, before.layers[2]);
  CHECK(same_layers(editor.policy(), before));
  editor.pin(2, LayerPolicy::dense());
  CHECK(editor.policy().predicted.activated_parameters <= 1.001 * before.predicted.activated_parameters);
  CHECK_FALSE(same_layers(editor.policy(), before));
  editor.reset_pins();
  CHECK(same_layers(editor.policy(), before));
}

TEST_CASE("the policy stays when the cost changes, and the slider stands where its cost is") {
  PolicyEditor editor(example_run());
  editor.set_tradeoff(0.45);
  const Policy before = editor.policy();
  editor.set_cost(Cost::decode_ms);
  CHECK(same_choice(editor.policy(), before));
  CHECK(editor.policy().predicted.kl == before.predicted.kl);
  CHECK(editor.policy().cost == Cost::decode_ms);
  CHECK(editor.held());
  const Frontier& frontier = editor.frontier();
  const double at =
      frontier.dense_cost() + editor.tradeoff() * (frontier.cheapest_cost() - frontier.dense_cost());
  CHECK(at == doctest::Approx(*before.predicted.decode_ms));
  CHECK(editor.changed_layers().empty());

  const double tradeoff = editor.tradeoff();
  editor.set_cost(Cost::activated);
  CHECK(same_choice(editor.policy(), before));
  CHECK_FALSE(editor.held());  // it is on this frontier
  CHECK(editor.tradeoff() == 0.45);
  editor.undo().undo();
  CHECK(editor.held());
  CHECK(editor.tradeoff() == tradeoff);
  editor.set_tradeoff(0.5);
  CHECK_FALSE(editor.held());
}

TEST_CASE("layers that a pin changed are told, and can be put back") {
  PolicyEditor editor(example_run());
  const Policy before = editor.policy();
  editor.pin(2, LayerPolicy::top(12));
  editor.pin(2, LayerPolicy::dense());  // of the same gesture
  editor.commit();
  const std::vector<int> changed = editor.changed_layers();
  REQUIRE_FALSE(changed.empty());
  CHECK(std::ranges::count(changed, 2) == 0);
  CHECK(editor.solved_others());
  const Policy solved = editor.policy();
  editor.keep_others();
  CHECK(editor.policy().layers[2] == LayerPolicy::dense());
  for (std::size_t l = 0; l < 6; ++l)
    if (l != 2) CHECK(editor.policy().layers[l] == before.layers[l]);
  CHECK(editor.held());
  CHECK(editor.pins().size() == 1);
  CHECK(editor.changed_layers() == changed);  // they changed back
  CHECK_FALSE(editor.solved_others());

  editor.pin(4, LayerPolicy::dense());  // a held policy changes nowhere else
  CHECK(editor.changed_layers().empty());
  CHECK(editor.policy().layers[1] == before.layers[1]);
  const Policy held = editor.policy();
  editor.unpin({4});
  CHECK(editor.held());
  CHECK(same_layers(editor.policy(), held));
  editor.undo().undo();
  editor.undo().undo();
  editor.undo().undo();
  CHECK(same_layers(editor.policy(), solved));
  CHECK(editor.changed_layers() == changed);
  CHECK_FALSE(editor.solved_others());
  editor.set_tradeoff(0.9);
  CHECK(editor.changed_layers().empty());
  CHECK(editor.policy().layers[2] == LayerPolicy::dense());  // stays pinned
}

TEST_CASE("a saved policy keeps its pins, whatever else they changed") {
  PolicyEditor editor(example_run());
  editor.set_tradeoff(0.6);
  editor.pin(2, LayerPolicy::top(24));
  editor.commit();
  REQUIRE_FALSE(editor.changed_layers().empty());
  const auto reopened = [&] {
    auto show = testing::example_show();
    show["policy"] = to_json(editor.policy());
    return testing::run_of(show);
  };
  {
    const PolicyEditor again(reopened());
    CHECK(again.pins() == editor.pins());
    CHECK(same_layers(again.policy(), editor.policy()));
    CHECK_FALSE(again.held());
  }
  editor.keep_others();
  const PolicyEditor again(reopened());
  CHECK(again.pins() == editor.pins());
  CHECK(same_layers(again.policy(), editor.policy()));
}

TEST_CASE("a policy of an earlier version, which does not tell its pins, counts as saved when it is opened") {
  PolicyEditor editor(example_run());
  editor.set_tradeoff(0.6);
  editor.pin(2, LayerPolicy::top(24));
  auto show = testing::example_show();
  show["policy"] = to_json(editor.policy());
  show["policy"].erase("pinned");
  PolicyEditor again(testing::run_of(show));
  REQUIRE(again.pins().contains(2));
  CHECK(RunHistory::of(again).keeps_chosen());
  again.unpin({2});
  CHECK_FALSE(RunHistory::of(again).keeps_chosen());
}

TEST_CASE("several layers are pinned together and released together") {
  PolicyEditor editor(example_run());
  editor.pin({{1, LayerPolicy::dense()}, {3, LayerPolicy::dense()}, {4, LayerPolicy::top(12)}});
  editor.commit();
  CHECK(editor.pins().size() == 3);
  CHECK(editor.undo().count() == 1);
  CHECK(editor.undo().undoText() == "pin 3 layers");
  CHECK(editor.policy().layers[4].k == 12);
  editor.unpin({1, 4, 5});
  CHECK(editor.pins().size() == 1);
  CHECK(editor.pins().contains(3));
}

TEST_CASE("a policy that is impossible for a layer is refused and nothing changes") {
  PolicyEditor editor(example_run({.not_converted = 3}));
  testing::check_refused("was not converted", [&] { editor.pin(3, LayerPolicy::above(0.03)); });
  testing::check_refused("There is no layer 6", [&] { editor.pin(6, LayerPolicy::dense()); });
  CHECK(editor.pins().empty());
  CHECK(editor.undo().count() == 0);
}

TEST_CASE("milliseconds can be the cost if some policy decodes faster than dense") {
  PolicyEditor editor(example_run());
  CHECK(editor.milliseconds_pay());
  editor.set_cost(Cost::decode_ms);
  CHECK(editor.cost() == Cost::decode_ms);
  editor.set_tradeoff(1);
  CHECK(*editor.policy().predicted.decode_ms == doctest::Approx(editor.frontier().cheapest_cost()));
  editor.undo().undo();
  editor.undo().undo();
  CHECK(editor.cost() == Cost::activated);

  CHECK_FALSE(PolicyEditor(example_run({.dense_ms = 0.005})).milliseconds_pay());
  auto show = testing::example_show();
  show["latency"] = nullptr;
  PolicyEditor without(testing::run_of(show));
  CHECK_FALSE(without.milliseconds_pay());
  CHECK_FALSE(without.policy().predicted.decode_ms);
}

TEST_CASE("any policy can be loaded; layers that differ from the frontier become pins") {
  PolicyEditor editor(example_run());
  Policy wanted = editor.policy();
  editor.set_tradeoff(0.9);
  editor.load(wanted);
  CHECK(same_layers(editor.policy(), wanted));
  CHECK(editor.pins().empty());
  editor.undo().undo();
  CHECK(editor.tradeoff() == 0.9);

  editor.set_tradeoff(0.6);
  editor.pin(1, LayerPolicy::top(30));  // a policy solved with this pin must load with the same pin
  wanted = editor.policy();
  editor.reset_pins();
  editor.set_tradeoff(0.1);
  editor.load(wanted);
  CHECK(same_layers(editor.policy(), wanted));
  CHECK(editor.pins().size() == 1);
  CHECK(editor.pins().contains(1));

  wanted.pinned.clear();
  for (std::size_t l = 0; l < 6; ++l) wanted.layers[l] = l % 2 ? LayerPolicy::dense() : LayerPolicy::top(7);
  editor.load(wanted);
  CHECK(same_layers(editor.policy(), wanted));

  for (std::size_t l = 0; l < 6; ++l) wanted.layers[l] = LayerPolicy::top(l % 2 ? 30 : 7);
  editor.load(wanted);
  CHECK(same_layers(editor.policy(), wanted));
  CHECK(editor.held());  // it has no layer as the frontier has
  CHECK(editor.pins().empty());
}

TEST_CASE("a run of any size starts at its own policy without pins") {
  for (const int layers : {1, 32, 80}) {
    const PolicyEditor editor(example_run({.layers = layers}));
    CHECK(editor.pins().empty());
    CHECK(same_layers(editor.policy(), *editor.run().policy));
  }
}
