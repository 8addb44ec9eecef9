#include "model/moe_layer.h"

#include <functional>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/files.h"
#include "checkpoint/safetensors.h"
#include "run/layer_store.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"

using namespace ladimo;
using namespace ladimo::testing;

namespace {

const LayerPolicy everything_on = LayerPolicy::above(-std::numeric_limits<double>::infinity());

// MoE(x) for one token by the formula, expert by expert.
at::Tensor by_hand(const MoeWeights& moe, const at::Tensor& x, const at::Tensor& selected) {
  const at::Tensor h = moe.hidden(x.unsqueeze(0))[0];
  const std::int64_t m = moe.expert_neurons();
  const auto slice = [&](std::int64_t first, std::int64_t rows) {
    return at::matmul(h.narrow(0, first, rows), moe.down.narrow(0, first, rows));
  };
  at::Tensor y = slice(0, moe.shared_neurons);
  for (std::int64_t e = 0; e < moe.routed(); ++e)
    if (selected[e].item<bool>())
      y = y + slice(moe.shared_neurons + e * m, m);
    else if (moe.compensation.defined())
      y = y + moe.compensation[e];
  return moe.down_bias.defined() ? y + moe.down_bias : y;
}

}  // namespace

TEST_CASE("with all experts on, a permuted FFN is the dense FFN") {
  for (const bool biases : {false, true}) {
    const auto ffn = random_ffn(64, 172, 1, biases);
    const auto moe = std::make_shared<MoeWeights>(random_moe(*ffn, 12, 40, 2));
    const at::Tensor x = random_tensor({50, 64}, 3);
    const FfnOutput output = MoeLayer(moe, everything_on).forward(x);
    CHECK(relative_difference(output.y, ffn->forward(x).y) < 1e-5);
    CHECK(at::equal(output.experts, at::full({50}, 12.0f)));
    CHECK(relative_difference(MoeLayer(moe, LayerPolicy::top(12)).forward(x).y, ffn->forward(x).y) < 1e-5);
  }
}

TEST_CASE("a router with hidden units is counted, stored and read back") {
  auto moe = random_moe(*random_ffn(24, 60, 1), 8, 12, 2);
  const double linear = moe.shape().activated_parameters(3);
  moe.router_hidden = random_tensor({5, 24}, 3);
  moe.router_hidden_bias = random_tensor({5}, 4);
  moe.router = random_tensor({8, 5}, 5);
  CHECK(moe.shape().router_parameters == 5 * 24 + 5 + 8 * 5 + 8);
  CHECK(moe.shape().activated_parameters(3) - linear == 5 * 24 + 5 + 8 * 5 - 8 * 24);
  const TemporaryFolder folder;
  save_moe_weights(folder / "layer.safetensors", moe, at::kBFloat16);
  const auto read = load_moe_weights(folder / "layer.safetensors", at::kCPU, at::kFloat);
  const at::Tensor x = random_tensor({20, 24}, 6);
  CHECK(at::equal(read.route(x), moe.route(x)));
  CHECK(read.routed() == 8);
  const at::Tensor units = at::silu(at::addmm(moe.router_hidden_bias, x, moe.router_hidden.t()));
  CHECK(max_difference(moe.route(x), at::addmm(moe.router_bias, units, moe.router.t())) < 1e-5);
  moe.router_hidden_bias = at::Tensor();
  save_moe_weights(folder / "half.safetensors", moe, at::kBFloat16);
  CHECK_THROWS_AS(load_moe_weights(folder / "half.safetensors", at::kCPU, at::kFloat), Refusal);
}

TEST_CASE("skipped experts add their compensation, selected ones their output") {
  const auto moe = std::make_shared<MoeWeights>(random_moe(*random_ffn(24, 60, 1, true), 8, 12, 2));
  const at::Tensor x = random_tensor({20, 24}, 3);
  const at::Tensor selected = select_experts(moe->route(x), LayerPolicy::above(0.2));
  REQUIRE(selected.any().item<bool>());
  REQUIRE_FALSE(selected.all().item<bool>());
  for (const bool compensated : {true, false}) {
    CAPTURE(compensated);
    if (!compensated) moe->compensation = at::Tensor();
    const FfnOutput output = MoeLayer(moe, LayerPolicy::above(0.2)).forward(x);
    for (std::int64_t t = 0; t < 20; ++t) {
      CHECK(max_difference(output.y[t], by_hand(*moe, x[t], selected[t])) < 1e-4);
      CHECK(output.experts[t].item<std::int64_t>() == selected[t].sum().item<std::int64_t>());
    }
  }
}

TEST_CASE("a layer without compensation costs nothing for skipped experts, and can be stored") {
  auto moe = random_moe(*random_ffn(10, 26, 1, true), 4, 6, 2);  // experts of 5 neurons
  const double compensated = moe.shape().activated_parameters(1.5);
  moe.compensation = at::Tensor();
  CHECK(moe.shape().activated_parameters(1.5) == compensated - 2.5 * 10);
  const TemporaryFolder folder;
  save_moe_weights(folder / "layer.safetensors", moe, at::kFloat);
  const auto read = load_moe_weights(folder / "layer.safetensors", at::kCPU, at::kFloat);
  CHECK_FALSE(read.compensation.defined());
  CHECK(at::equal(read.down_bias, moe.down_bias));
}

TEST_CASE("a policy selects experts by their routing weights") {
  const at::Tensor weights = at::tensor({0.5f, 0.1f, 0.5f, 0.3f, 0.2f, 0.2f, 0.2f, 0.2f}).view({2, 4});
  struct Case {
    LayerPolicy policy;
    std::vector<int> expected;
  };
  for (const Case& c : {Case{LayerPolicy::above(0.3), {1, 0, 1, 1, 0, 0, 0, 0}},
                        Case{LayerPolicy::above(9), {0, 0, 0, 0, 0, 0, 0, 0}},
                        Case{LayerPolicy::top(1), {1, 0, 0, 0, 1, 0, 0, 0}},
                        Case{LayerPolicy::top(3), {1, 0, 1, 1, 1, 1, 1, 0}},
                        Case{LayerPolicy::top(0), {0, 0, 0, 0, 0, 0, 0, 0}},
                        Case{LayerPolicy::top(9), {1, 1, 1, 1, 1, 1, 1, 1}}}) {
    CAPTURE(to_string(c.policy));
    CHECK(at::equal(select_experts(weights, c.policy), at::tensor(c.expected).view({2, 4}).to(at::kBool)));
  }
  CHECK_THROWS_AS(select_experts(weights, LayerPolicy::dense()), Error);
}

TEST_CASE("routing weights are fp32 whatever the dtype of the weights") {
  const MoeWeights moe = random_moe(*random_ffn(32, 64, 1), 6, 10, 2);
  const at::Tensor x = random_tensor({4, 32}, 3).to(at::kBFloat16);
  CHECK(at::equal(moe.to(at::kCPU, at::kBFloat16).route(x), moe.route(x.to(at::kFloat))));
}

TEST_CASE("activated parameters are those of the parts that run") {
  const MoeWeights moe = random_moe(*random_ffn(10, 26, 1), 4, 6, 2);  // experts of 5 neurons
  const double router = 4 * 10 + 4;
  CHECK(moe.shape().activated_parameters(4) == router + 26 * 30);
  CHECK(moe.shape().activated_parameters(0) == router + 6 * 30 + 4 * 10);
  CHECK(moe.shape().activated_parameters(1.5) == router + 13.5 * 30 + 2.5 * 10);
  const auto biased = random_ffn(10, 26, 1, true);
  CHECK(random_moe(*biased, 4, 6, 2).shape().activated_parameters(4) == router + 26 * 32 + 10);
  CHECK(biased->activated_parameters(0) == 26 * 32 + 10);
}

TEST_CASE("a converted layer survives a round trip through its file") {
  const TemporaryFolder folder;
  for (const bool biases : {false, true}) {
    const MoeWeights moe = random_moe(*random_ffn(24, 60, 1, biases), 8, 12, 2);
    save_moe_weights(folder / "000.safetensors", moe, at::kBFloat16);
    const MoeWeights read = load_moe_weights(folder / "000.safetensors", at::kCPU, at::kFloat);
    const auto rounded = [](const at::Tensor& t) { return t.to(at::kBFloat16).to(at::kFloat); };
    CHECK(at::equal(read.gate, rounded(moe.gate)));
    CHECK(at::equal(read.up, rounded(moe.up)));
    CHECK(at::equal(read.down, rounded(moe.down)));
    CHECK(at::equal(read.compensation, rounded(moe.compensation)));
    CHECK(at::equal(read.router, moe.router));
    CHECK(at::equal(read.router_bias, moe.router_bias));
    CHECK(at::equal(read.permutation, moe.permutation));
    CHECK(read.shared_neurons == moe.shared_neurons);
    CHECK(read.gate_bias.defined() == biases);
    if (biases) CHECK(at::equal(read.down_bias, rounded(moe.down_bias)));
  }
}

TEST_CASE("the cost of a layer is the same from its file's header and from its weights") {
  const TemporaryFolder folder;
  const auto check_same = [&](const MoeWeights& moe) {
    save_moe_weights(folder / "000.safetensors", moe, at::kBFloat16);
    const auto store = TensorStore::open(folder / "000.safetensors");
    CHECK(stored_shape(store, "", store.metadata()) == moe.shape());
  };
  for (const bool biases : {false, true}) {
    MoeWeights moe = random_moe(*random_ffn(24, 60, 1, biases), 8, 12, 2);
    check_same(moe);
    moe.compensation = at::Tensor();
    moe.down_bias = random_tensor({24}, 3);
    check_same(moe);
    moe.router = random_tensor({8, 5}, 4);
    moe.router_hidden = random_tensor({5, 24}, 5);
    moe.router_hidden_bias = random_tensor({5}, 6);
    check_same(moe);
    check_same(moving(moe));
  }
}

TEST_CASE("a moving layer runs with its shifts added, scaled by the share of experts that the policy runs") {
  const MoeWeights moe = moving(random_moe(*random_ffn(24, 60, 1), 8, 12, 2));
  CHECK(moe.shift_of(LayerPolicy::above(-5)) == doctest::Approx(-1));
  CHECK(moe.shift_of(LayerPolicy::above(-0.5)) == doctest::Approx(-0.5));
  CHECK(moe.shift_of(LayerPolicy::above(0)) == doctest::Approx(0));
  CHECK(moe.shift_of(LayerPolicy::above(0.25)) == doctest::Approx(0.25));
  CHECK(moe.shift_of(LayerPolicy::above(7)) == doctest::Approx(1));
  CHECK(moe.shift_of(LayerPolicy::top(8)) == doctest::Approx(-1));
  CHECK(moe.shift_of(LayerPolicy::top(2)) == doctest::Approx(0.5));

  const auto x = random_tensor({20, 24}, 5);
  for (const auto& policy : {LayerPolicy::above(0.25), LayerPolicy::top(2)}) {
    const double c = moe.shift_of(policy);
    MoeWeights still = moe;
    still.gate = moe.gate + c * moe.gate_shift;
    still.up = moe.up + c * moe.up_shift;
    still.down = moe.down + c * moe.down_shift;
    still.gate_shift = still.up_shift = still.down_shift = still.activity = at::Tensor();
    const MoeLayer moved(std::make_shared<MoeWeights>(moe), policy);
    CHECK(max_difference(moved.forward(x).y,
                         MoeLayer(std::make_shared<MoeWeights>(still), policy).forward(x).y) < 1e-5);
    CHECK_FALSE(moved.weights().moves());
    CHECK(moved.activated_parameters(3) == moe.shape().activated_parameters(3));
  }
}

TEST_CASE("a moving layer survives a round trip and is refused when incomplete") {
  const TemporaryFolder folder;
  const auto file = folder / "000.safetensors";
  MoeWeights moe = moving(random_moe(*random_ffn(24, 60, 1), 8, 12, 2));
  save_moe_weights(file, moe, at::kFloat);
  const auto read = load_moe_weights(file, at::kCPU, at::kFloat);
  CHECK(at::equal(read.gate_shift, moe.gate_shift));
  CHECK(at::equal(read.up_shift, moe.up_shift));
  CHECK(at::equal(read.down_shift, moe.down_shift));
  CHECK(at::equal(read.activity, moe.activity));
  const auto refused = [&](const MoeWeights& bad, const char* sentence) {
    save_moe_weights(file, bad, at::kFloat);
    CHECK_THROWS_WITH_AS(load_moe_weights(file, at::kCPU, at::kFloat), sentence, Refusal);
  };
  MoeWeights bad = moe;
  bad.activity = at::Tensor();
  refused(bad, "This is not a converted layer: gate_shift and activity belong together.");
  bad = moe;
  bad.activity = at::zeros({3});
  refused(bad, "This is not a converted layer: activity has the shape [3].");
  bad = moe;
  bad.activity = moe.activity.flip(0);
  refused(bad, "This is not a converted layer: activity contains no shares at rising thresholds.");
  bad = moe;
  bad.up_shift = at::zeros({60, 23});
  refused(bad, "This is not a converted layer: up_shift has the shape [60, 23] instead of [60, 24].");
}

TEST_CASE("a file that is not a converted layer is refused") {
  const TemporaryFolder folder;
  const MoeWeights good = random_moe(*random_ffn(24, 60, 1), 8, 12, 2);
  struct Case {
    std::function<void(MoeWeights&)> damage;
    std::string sentence;
  };
  const std::vector<Case> cases = {
      {[](MoeWeights& w) { w.up = w.up.narrow(0, 0, 59); }, "up has the shape [59, 24] instead of [60, 24]"},
      {[](MoeWeights& w) { w.down = w.down.t(); }, "down has the shape [24, 60] instead of [60, 24]"},
      {[](MoeWeights& w) { w.router = w.router.narrow(1, 0, 9); }, "router has the shape [8, 9]"},
      {[](MoeWeights& w) { w.router_bias = w.router_bias[0]; },
       "router_bias has the shape [] instead of [8]"},
      {[](MoeWeights& w) { w.compensation = w.gate; }, "compensation has the shape [60, 24]"},
      {[](MoeWeights& w) { w.gate = w.gate.flatten(); }, "gate has the shape [1440]"},
      {[](MoeWeights& w) { w.gate_bias = at::zeros({3}); }, "gate_bias has the shape [3] instead of [60]"},
      {[](MoeWeights& w) { w.shared_neurons = 13; }, "47 routed neurons do not split into 8 equal experts"},
      {[](MoeWeights& w) { w.shared_neurons = -4; }, "shared_neurons is \"-4\""},
      {[](MoeWeights& w) { w.shared_neurons = 68; }, "do not split"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.sentence);
    MoeWeights bad = good;
    c.damage(bad);
    save_moe_weights(folder / "bad.safetensors", bad, at::kFloat);
    try {
      load_moe_weights(folder / "bad.safetensors", at::kCPU, at::kFloat);
      FAIL_CHECK("was accepted");
    } catch (const Refusal& refusal) {
      CHECK(std::string(refusal.what()).find(c.sentence) != std::string::npos);
      CHECK(refusal.path() == folder / "bad.safetensors");
      CHECK_FALSE(refusal.hint().empty());
    }
  }
  save_moe_weights(folder / "bad.safetensors", good, at::kFloat);
  std::string bytes = read_file(folder / "bad.safetensors");
  bytes.replace(bytes.find("I64"), 3, "U64");
  write_file(folder / "bad.safetensors", bytes);
  CHECK_THROWS_WITH_AS(load_moe_weights(folder / "bad.safetensors", at::kCPU, at::kFloat),
                       "This is not a converted layer: permutation is not I64.", Refusal);
  SafetensorsWriter(folder / "empty.safetensors", {}, {{"shared_neurons", "0"}}).finish();
  CHECK_THROWS_WITH_AS(load_moe_weights(folder / "empty.safetensors", at::kCPU, at::kFloat),
                       "This is not a converted layer: gate is missing.", Refusal);
  CHECK_THROWS_WITH_AS(
      load_moe_weights(std::filesystem::path(LADIMO_DEMO) / "model.safetensors", at::kCPU, at::kFloat),
      "This is not a converted layer: shared_neurons is missing in its metadata.", Refusal);
}
