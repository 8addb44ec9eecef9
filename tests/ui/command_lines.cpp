#include "ui/models/command_lines.h"

#include <doctest/doctest.h>

#include <QClipboard>
#include <QGuiApplication>
#include <QSpinBox>

#include "example_run.h"
#include "opened_run.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/panels/evaluation_panel.h"
#include "ui/widgets/copy_command.h"

using namespace ladimo;
using namespace ladimo::ui;

namespace {

/// The policy that `ladimo policy` makes of the words of a line.
Policy policy_of(const PolicyEditor& editor, const QString& line) {
  PolicyRequest request;
  const QStringList words = line.split(' ');
  REQUIRE(words.mid(0, 3) == QStringList{"ladimo", "policy", editor.run().folder});
  for (int i = 3; i + 1 < words.size(); i += 2) {
    const std::string value = words[i + 1].toStdString();
    if (words[i] == "--tradeoff")
      request.tradeoff = words[i + 1].toDouble();
    else if (words[i] == "--cost")
      request.cost = parse_cost(value);
    else if (words[i] == "--grains")
      request.grains = parse_grains(value);
    else if (words[i] == "--pin")
      request.pins.push_back(parse_pin(value));
    else
      FAIL("unknown: " << words[i].toStdString());
  }
  const auto& run = editor.run();
  return solve(*run.tradeoff, run.latency ? &*run.latency : nullptr, request);
}

}  // namespace

TEST_CASE("the command of the chosen policy makes that policy") {
  PolicyEditor editor(testing::run_of(testing::example_show({.cuts = true})));
  const auto check = [&](const char* what) {
    CAPTURE(what);
    CAPTURE(policy_command(editor).toStdString());
    CHECK(same_choice(policy_of(editor, policy_command(editor)), editor.policy()));
  };
  check("as opened");
  editor.set_tradeoff(1.0 / 3);
  check("a trade-off with many digits");
  editor.set_allowed(Allowed::experts);
  check("experts alone");
  CHECK(policy_command(editor).contains(" --grains experts"));
  editor.pin(1, LayerPolicy::dense());
  editor.pin(3, LayerPolicy::top(12));
  check("pins");
  CHECK(policy_command(editor).contains(" --pin 3=top12"));
  editor.set_cost(Cost::decode_ms);
  check("another cost");
  Policy odd = editor.policy();
  for (std::size_t l = 0; l < odd.layers.size(); ++l)
    odd.layers[l] = l % 2 == 0 ? LayerPolicy::top(7) : LayerPolicy::dense();
  editor.load(odd);
  check("a policy from elsewhere");
}

TEST_CASE("there is a command also where no policy is faster than dense") {
  PolicyEditor editor(testing::run_of(testing::example_show()));
  editor.set_cost(Cost::decode_ms);
  for (int layer = 0; layer < editor.run().layer_count(); ++layer) editor.pin(layer, LayerPolicy::dense());
  CHECK(same_choice(policy_of(editor, policy_command(editor)), editor.policy()));
}

TEST_CASE("a command names the file of the policy, or makes it first") {
  PolicyEditor editor(testing::run_of(testing::example_show()));
  RunHistory& history = RunHistory::of(editor);
  REQUIRE(history.run_policy());
  const QStringList bench{"bench", editor.run().folder};
  CHECK(command_under(editor, *history.run_policy(), bench) == "ladimo bench " + editor.run().folder);
  editor.set_tradeoff(0.7);
  const QStringList lines = command_under(editor, editor.policy(), bench).split('\n');
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == policy_command(editor) + " -o policy.json");
  CHECK(lines[1] == "ladimo bench " + editor.run().folder + " --policy policy.json");
  history.set_policy("calm one", editor.policy());
  CHECK(command_under(editor, editor.policy(), bench) == "ladimo bench " + editor.run().folder +
                                                             " --policy '" + editor.run().folder +
                                                             "/policies/calm one.json'");
}

TEST_CASE("a page copies the command of what its button would do") {
  testing::OpenedRun opened("");
  EvaluationPanel panel(opened.run, opened.editor, opened.serve, opened.engine.engine());
  opened.serve.set_original("/models/dense");
  testing::child<QSpinBox>(panel, "tokens").setValue(5000);
  testing::child<CopyCommand>(panel, "copy_command").click();
  CHECK(QGuiApplication::clipboard()->text() ==
        "ladimo eval " + opened.run->folder + " --tokens 5000 --dense /models/dense");
}
