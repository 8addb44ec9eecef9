#include "ui/models/policy_request.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "example_run.h"

using namespace ladimo;
using namespace ladimo::ui;

TEST_CASE("a target is a share, a KL or a speed") {
  CHECK(*target_in("80 %")->activated == doctest::Approx(0.8));
  CHECK(*target_in("62.5%")->activated == doctest::Approx(0.625));
  CHECK(*target_in(" KL 0.02 ")->max_kl == doctest::Approx(0.02));
  CHECK(*target_in("kl=0,02")->max_kl == doctest::Approx(0.02));
  CHECK(*target_in("1.3×")->speedup == doctest::Approx(1.3));
  CHECK(*target_in("1.3 x")->speedup == doctest::Approx(1.3));
  CHECK(*target_in("80")->activated == doctest::Approx(0.8));  // a share is meant
  CHECK(*target_in("0.4081")->activated == doctest::Approx(0.4081));
  for (const char* text : {"", "1.3", "0.02", "120", "KL", "KL 80 %", "fast", "-80 %", "1.3 times x"}) {
    CAPTURE(text);
    CHECK_FALSE(target_in(text));
  }
}

TEST_CASE("aiming moves to the policy that the command line finds, in one undo step") {
  PolicyEditor editor(testing::run_of(testing::example_show()));
  const auto& run = editor.run();
  const double dense = editor.frontier().dense_cost();
  const int steps = editor.undo().count();
  aim(editor, {.activated = 0.8});
  CHECK(editor.undo().count() == steps + 1);
  CHECK(same_choice(editor.policy(), solve(*run.tradeoff, nullptr, {.activated = 0.8})));
  CHECK(editor.policy().predicted.activated_parameters <= 0.8 * dense * (1 + 1e-9));
  aim(editor, {.max_kl = 0.02});
  CHECK(same_choice(editor.policy(), solve(*run.tradeoff, nullptr, {.max_kl = 0.02})));
  CHECK(editor.policy().predicted.kl <= 0.02);
  const int before = editor.undo().count();
  aim(editor, {.speedup = 1.02});
  CHECK(editor.undo().count() == before + 1);
  CHECK(editor.cost() == Cost::decode_ms);
  CHECK(same_choice(editor.policy(), solve(*run.tradeoff, &*run.latency, {.speedup = 1.02})));
  aim(editor, {.activated = 0.9});
  CHECK(editor.cost() == Cost::activated);
  CHECK(same_choice(editor.policy(), solve(*run.tradeoff, nullptr, {.activated = 0.9})));
}

TEST_CASE("aiming keeps pins, and says what can be reached") {
  PolicyEditor editor(testing::run_of(testing::example_show()));
  editor.pin(2, LayerPolicy::dense());
  editor.commit();
  aim(editor, {.activated = 0.85});
  CHECK(editor.pins().size() == 1);
  CHECK(editor.policy().layers[2].kind == LayerPolicy::Kind::dense);
  const Policy before = editor.policy();
  CHECK_THROWS_WITH_AS(aim(editor, {.activated = 0.01}), doctest::Contains("No policy is that cheap"),
                       Refusal);
  CHECK_THROWS_AS(aim(editor, {.speedup = 100}), Refusal);
  CHECK(same_choice(editor.policy(), before));
}
