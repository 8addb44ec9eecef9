// FFNs that decode by kernel, compared with the same networks by matrix products.
#include "model/prepared_ffn.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <doctest/doctest.h>

#include "support/tensors.h"

using namespace ladimo;
using namespace ladimo::testing;

namespace {

/// The layer's output computed in fp32 with all experts, of which those not selected are masked.
at::Tensor masked(const MoeWeights& weights, const at::Tensor& x, const at::Tensor& selected) {
  const MoeWeights reference = weights.to(at::kCPU, at::kFloat);
  return reference.combine(reference.hidden(x.to(at::kFloat)), selected);
}

DenseFfn with_dtype(const DenseFfn& ffn, at::ScalarType dtype) {
  DenseFfn result = ffn;
  for (at::Tensor* t :
       {&result.gate, &result.up, &result.down, &result.gate_bias, &result.up_bias, &result.down_bias})
    if (t->defined()) *t = t->to(dtype);
  return result;
}

/// The relative difference that rounding to this dtype may cause.
double tolerance(at::ScalarType dtype) { return dtype == at::kFloat ? 1e-5 : 5e-3; }

}  // namespace

TEST_CASE("reading only the experts that run gives the same as masking the others") {
  struct Case {
    std::int64_t d, f, routed, shared;
    bool biases, compensated;
  };
  for (const Case& c : {Case{192, 512, 48, 128, false, true}, Case{37, 50, 5, 7, true, true},
                        Case{16, 24, 3, 0, false, false}, Case{64, 300, 2, 100, true, false}}) {
    CAPTURE(c.d);
    MoeWeights moe = random_moe(*random_ffn(c.d, c.f, 1, c.biases), c.routed, c.shared, 2);
    if (!c.compensated) moe.compensation = at::Tensor();
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
      const auto weights = std::make_shared<MoeWeights>(moe.to(at::kCPU, dtype));
      const auto layer = std::make_shared<MoeLayer>(weights, LayerPolicy::above(0.2));
      const PreparedFfn ffn(layer);
      for (std::int64_t tokens = 1; tokens <= 8; ++tokens) {
        CAPTURE(tokens);
        const at::Tensor x = random_tensor({tokens, c.d}, 30).to(dtype);
        const at::Tensor selected = layer->select(x);
        const FfnOutput output = ffn.forward(x);
        CHECK((output.y.scalar_type() == dtype));
        CHECK(relative_difference(output.y, masked(*weights, x, selected)) < tolerance(dtype));
        CHECK(at::equal(output.experts, experts_per_token(selected)));
      }
    }
  }
}

TEST_CASE("selecting no expert or every expert works") {
  const auto moe = std::make_shared<MoeWeights>(random_moe(*random_ffn(32, 64, 1), 6, 10, 2));
  const at::Tensor x = random_tensor({3, 32}, 3);
  for (const int k : {0, 6}) {
    const auto layer = std::make_shared<MoeLayer>(moe, LayerPolicy::top(k));
    CHECK(relative_difference(PreparedFfn(layer).forward(x).y, layer->forward(x).y) < 1e-5);
  }
}

TEST_CASE("a dense FFN by kernel equals the dense FFN") {
  struct Case {
    std::int64_t d, f;
    bool neuron_biases, output_bias;
  };
  for (const Case& c : {Case{192, 512, false, false}, Case{37, 51, true, true},
                        Case{16, 1, false, true}}) {  // odd sizes as in pruned FFNs
    CAPTURE(c.d);
    DenseFfn exact = *random_ffn(c.d, c.f, 1, true);
    if (!c.neuron_biases) exact.gate_bias = exact.up_bias = at::Tensor();
    if (!c.output_bias) exact.down_bias = at::Tensor();
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
      const DenseFfn dense = with_dtype(exact, dtype);
      const DenseFfn reference = with_dtype(dense, at::kFloat);
      const PreparedFfn ffn(dense);
      CHECK(ffn.shape() == dense.shape());
      for (const std::int64_t tokens : {1, 3, 8, 9, 40}) {
        CAPTURE(tokens);
        const at::Tensor x = random_tensor({tokens, c.d}, 30).to(dtype);
        const FfnOutput output = ffn.forward(x);
        CHECK((output.y.scalar_type() == dtype));
        CHECK_FALSE(output.experts.defined());
        // Matrix products in bf16 also round the hidden activations.
        const double allowed = tokens > 8 ? 4 * tolerance(dtype) : tolerance(dtype);
        CHECK(relative_difference(output.y, reference.forward(x.to(at::kFloat)).y) < allowed);
      }
    }
  }
}

TEST_CASE("a down projection that is stored neuron by neuron is not copied") {
  DenseFfn ffn = *random_ffn(16, 48, 1);
  const at::Tensor rows = ffn.down.t().contiguous();
  ffn.down = rows.t();
  const auto before = rows.storage().use_count();
  const PreparedFfn prepared(ffn);
  CHECK(rows.storage().use_count() > before);
}

TEST_CASE("several threads give the same as one thread, every time") {
  const auto moe = std::make_shared<MoeWeights>(random_moe(*random_ffn(512, 2048, 1), 16, 512, 2));
  const PreparedFfn ffn(std::make_shared<MoeLayer>(moe, LayerPolicy::above(0.2)));
  const at::Tensor x = random_tensor({2, 512}, 3);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor alone = ffn.forward(x).y;
  at::set_num_threads(3);
  const at::Tensor together = ffn.forward(x).y;
  CHECK(at::equal(together, ffn.forward(x).y));
  at::set_num_threads(threads);
  CHECK(relative_difference(together, alone) < 1e-5);
}

TEST_CASE("many tokens, and autograd, use matrix products") {
  const auto moe = std::make_shared<MoeWeights>(random_moe(*random_ffn(48, 128, 1), 12, 32, 2));
  for (const LayerPolicy& policy : {LayerPolicy::above(0.3), LayerPolicy::top(4)}) {
    const auto layer = std::make_shared<MoeLayer>(moe, policy);
    const PreparedFfn ffn(layer);
    const at::Tensor x = random_tensor({32, 48}, 3);
    const FfnOutput many = layer->forward(x);
    CHECK(at::equal(ffn.forward(x).y, many.y));
    const FfnOutput few = ffn.forward(x.narrow(0, 5, 3));
    CHECK(relative_difference(few.y, many.y.narrow(0, 5, 3)) < 1e-5);
    CHECK(at::equal(few.experts, many.experts.narrow(0, 5, 3)));
    const at::Tensor leaf = random_tensor({2, 48}, 4).requires_grad_();
    CHECK(ffn.forward(leaf).y.requires_grad());
  }
}

TEST_CASE("an FFN that no kernel can read stays unchanged") {
  const auto dense = std::make_shared<DenseFfn>(with_dtype(*random_ffn(16, 48, 1), at::kDouble));
  CHECK(prepared(dense) == dense);
  const auto moe =
      std::make_shared<MoeWeights>(random_moe(*random_ffn(16, 48, 1), 4, 8, 2).to(at::kCPU, at::kDouble));
  const auto layer = std::make_shared<MoeLayer>(moe, LayerPolicy::top(2));
  CHECK(prepared(layer) == layer);
  CHECK(prepared(random_ffn(16, 48, 1))->shape() == dense->shape());
}
