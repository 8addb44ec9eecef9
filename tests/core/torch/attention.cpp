#include <cmath>
#include <limits>

#include <torch/csrc/autograd/autograd.h>
// This comes after torch, whose logging headers define another CHECK.
#include <ATen/core/grad_mode.h>
#include <doctest/doctest.h>

#include "base/error.h"
#include "model/decoder_layer.h"
#include "support/tensors.h"

using namespace ladimo;
using namespace ladimo::testing;

namespace {

ModelConfig config_of(std::int64_t heads, std::int64_t kv_heads, std::int64_t head_dim) {
  ModelConfig config;
  config.heads = heads;
  config.kv_heads = kv_heads;
  config.head_dim = head_dim;
  config.max_positions = 2000;
  return config;
}

DecoderLayer random_layer(const ModelConfig& config, std::int64_t d) {
  DecoderLayer layer;
  layer.heads = config.heads;
  layer.kv_heads = config.kv_heads;
  layer.head_dim = config.head_dim;
  layer.sliding_window = config.sliding_window;
  layer.rms_eps = 1e-5;
  layer.attention_scale = config.attention_scale();
  layer.attention_norm = 1 + random_tensor({d}, 1, 0.1);
  layer.q = random_tensor({config.heads * config.head_dim, d}, 2);
  layer.k = random_tensor({config.kv_heads * config.head_dim, d}, 3);
  layer.v = random_tensor({config.kv_heads * config.head_dim, d}, 4);
  layer.o = random_tensor({d, config.heads * config.head_dim}, 5);
  return layer;
}

// Attention by the plain formula for one sequence [W, d], with keys repeated and the whole matrix of
// scores.
at::Tensor plain_attention(const DecoderLayer& layer, const Rotary& rotary, const at::Tensor& h) {
  const std::int64_t width = h.size(0), half = layer.head_dim / 2;
  const at::Tensor x = h / at::sqrt(h.square().mean(-1, true) + layer.rms_eps) * layer.attention_norm;
  const auto heads_of = [&](const at::Tensor& weight, std::int64_t count) {
    return at::matmul(x, weight.t()).view({width, count, layer.head_dim}).transpose(0, 1);
  };
  const auto rotate = [&](const at::Tensor& t) {
    const Rotary::Tables turns = rotary.upto(width);
    const at::Tensor angle = at::atan2(turns.sin.narrow(1, half, half), turns.cos.narrow(1, half, half));
    const at::Tensor both = at::cat({angle, angle}, 1).narrow(0, 0, width);
    const at::Tensor cos = both.cos(), sin = both.sin();
    return t * cos + at::cat({-t.narrow(2, half, half), t.narrow(2, 0, half)}, 2) * sin;
  };
  const std::int64_t group = layer.heads / layer.kv_heads;
  const at::Tensor q = rotate(heads_of(layer.q, layer.heads));
  const at::Tensor k = rotate(heads_of(layer.k, layer.kv_heads)).repeat_interleave(group, 0);
  const at::Tensor v = heads_of(layer.v, layer.kv_heads).repeat_interleave(group, 0);
  const at::Tensor i = at::arange(width).unsqueeze(1), j = at::arange(width);
  at::Tensor visible = j <= i;
  if (layer.sliding_window > 0) visible = visible.logical_and(j > i - layer.sliding_window);
  const at::Tensor scores = at::matmul(q, k.transpose(1, 2)) / std::sqrt(static_cast<double>(layer.head_dim));
  const at::Tensor weights =
      at::softmax(scores.masked_fill(visible.logical_not(), -std::numeric_limits<double>::infinity()), -1);
  const at::Tensor out = at::matmul(weights, v).transpose(0, 1).reshape({width, -1});
  return h + at::matmul(out, layer.o.t());
}

}  // namespace

TEST_CASE("attention equals the plain formula in whatever chunks it is computed") {
  struct Case {
    std::int64_t batch, width, heads, kv_heads, head_dim, sliding_window;
  };
  // The last three cases have more scores than one chunk holds: they are cut by queries, by sequences, by
  // both.
  for (const Case& c :
       {Case{1, 1, 2, 1, 4, 0}, Case{3, 9, 4, 2, 6, 0}, Case{2, 20, 6, 3, 4, 7}, Case{2, 5, 4, 4, 4, 1},
        Case{1, 1800, 8, 4, 4, 0}, Case{12, 500, 8, 8, 2, 0}, Case{2, 1500, 16, 4, 2, 100}}) {
    CAPTURE(c.width);
    CAPTURE(c.sliding_window);
    ModelConfig config = config_of(c.heads, c.kv_heads, c.head_dim);
    config.sliding_window = c.sliding_window;
    const DecoderLayer layer = random_layer(config, 16);
    const Rotary rotary(config, at::kCPU);
    const at::Tensor h = random_tensor({c.batch, c.width, 16}, 9);
    const at::Tensor attended = layer.attend(h, rotary);
    for (const std::int64_t b : {std::int64_t{0}, c.batch - 1})
      CHECK(max_difference(attended[b], plain_attention(layer, rotary, h[b])) < 1e-4);
  }
}

TEST_CASE("attention can be differentiated") {
  ModelConfig config = config_of(4, 2, 6);
  const DecoderLayer layer = random_layer(config, 16);
  const Rotary rotary(config, at::kCPU);
  const at::Tensor weights = random_tensor({2, 8, 16}, 20), direction = random_tensor({2, 8, 16}, 21);
  const at::Tensor h = random_tensor({2, 8, 16}, 22).requires_grad_();
  const at::Tensor value = (layer.attend(h, rotary) * weights).sum();
  const at::Tensor gradient = torch::autograd::grad({value}, {h})[0];
  const at::NoGradGuard no_grad;
  const auto at_step = [&](double step) {
    return (layer.attend(h + step * direction, rotary) * weights).sum().item<double>();
  };
  const double expected = (at_step(1e-2) - at_step(-1e-2)) / 2e-2;
  CHECK((gradient * direction).sum().item<double>() == doctest::Approx(expected).epsilon(0.02));
}

TEST_CASE("the RMS norm is computed in fp32 and returned in the weight's dtype") {
  const at::Tensor x = random_tensor({5, 32}, 1, 300), weight = random_tensor({32}, 2);
  const at::Tensor expected = x / at::sqrt(x.square().mean(-1, true) + 1e-5) * weight;
  CHECK(max_difference(rms_norm(x, weight, 1e-5), expected) < 1e-5);
  const at::Tensor coarse = rms_norm(x.to(at::kBFloat16), weight.to(at::kBFloat16), 1e-5);
  CHECK((coarse.scalar_type() == at::kBFloat16));
  CHECK(relative_difference(coarse, expected) < 0.02);
}

TEST_CASE("linear scaling stretches all rotary wavelengths, llama3 only the long ones") {
  ModelConfig config = config_of(1, 1, 64);
  const auto turns_of = [&config] { return Rotary(config, at::kCPU).upto(9); };
  const auto plain = turns_of();
  config.rope_scaling = {RopeScaling::Kind::linear, 8, 1, 4, 0};
  CHECK(max_difference(turns_of().cos[8], plain.cos[1]) < 1e-6);
  config.rope_scaling = {RopeScaling::Kind::llama3, 8, 1, 4, 64};
  const auto llama3 = turns_of();
  CHECK(max_difference(llama3.cos[8][0], plain.cos[8][0]) == 0);      // wavelength 6 of 64
  CHECK(max_difference(llama3.sin[8][31], plain.sin[1][31]) < 1e-6);  // wavelength 47,000
}

TEST_CASE("more tokens than positions are refused") {
  ModelConfig config = config_of(2, 1, 4);
  config.max_positions = 5;
  const DecoderLayer layer = random_layer(config, 8);
  const Rotary rotary(config, at::kCPU);
  CHECK_NOTHROW(layer.attend(random_tensor({1, 5, 8}, 1), rotary));
  CHECK_THROWS_WITH_AS(layer.attend(random_tensor({1, 6, 8}, 1), rotary),
                       "The text has 6 tokens, but the model has only 5 positions.", Refusal);
}

TEST_CASE("rotary tables hold the positions asked for, with the same numbers however they grew") {
  ModelConfig config = config_of(2, 1, 64);
  config.max_positions = 4'000'000;  // whole tables would take 2 GB
  const Rotary at_once(config, at::kCPU), grown(config, at::kCPU);
  const auto expected = at_once.upto(200);
  CHECK(expected.cos.sizes() == at::IntArrayRef({200, 64}));
  for (const std::int64_t positions : {1, 2, 3, 7, 150, 20, 200}) {
    const auto tables = grown.upto(positions);
    REQUIRE(tables.cos.size(0) >= positions);
    CHECK(tables.cos.size(0) <= 400);
    CHECK(tables.sin.sizes() == tables.cos.sizes());
    const auto same = [&](const at::Tensor& a, const at::Tensor& b) {
      return at::equal(a.narrow(0, 0, positions), b.narrow(0, 0, positions));
    };
    CHECK(same(tables.cos, expected.cos));
    CHECK(same(tables.sin, expected.sin));
  }
  config.max_positions = 150;  // the model ends before the table would double
  const Rotary small(config, at::kCPU);
  small.upto(100);
  CHECK(small.upto(101).cos.size(0) == 150);
  CHECK_THROWS_WITH_AS(small.upto(151), "The text has 151 tokens, but the model has only 150 positions.",
                       Refusal);
}
