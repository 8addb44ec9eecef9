#include "model/weight_source.h"

#include <cstring>

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/pico_model.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"

using namespace ladimo;
using namespace ladimo::testing;

TEST_CASE("stored numbers become the dtype that is computed with, wherever their bytes begin") {
  const at::Tensor values = at::tensor({1.5f, -2.0f, 0.25f, 96.0f}).view({2, 2});
  for (const auto& [stored, type] : {std::pair{DType::f32, at::kFloat}, std::pair{DType::f16, at::kHalf},
                                     std::pair{DType::bf16, at::kBFloat16}}) {
    const at::Tensor written = values.to(type);
    std::vector<std::byte> bytes(written.nbytes() + 1);
    std::memcpy(bytes.data() + 1, written.data_ptr(), written.nbytes());
    const TensorView view{"t", stored, dtype_name(stored), {2, 2}, std::span(bytes).subspan(1), {}};
    for (const at::ScalarType wanted : {at::kFloat, at::kBFloat16}) {
      const at::Tensor read = to_tensor(view, at::kCPU, wanted);
      CHECK((read.scalar_type() == wanted));
      CHECK(at::equal(read.to(at::kFloat), values));
    }
  }
}

TEST_CASE("a dtype that is not computed with is refused by name") {
  const TensorView view{"model.norm.weight", DType::other, "F8_E4M3", {0}, {}, "w.safetensors"};
  CHECK_THROWS_WITH_AS(to_tensor(view, at::kCPU, at::kFloat),
                       "Tensor model.norm.weight has the unknown dtype F8_E4M3.", Refusal);
}

TEST_CASE("a layer comes whole or in halves, with the biases that the config names") {
  const TemporaryFolder folder;
  for (const bool biases : {false, true}) {
    ModelShape pico;
    pico.attention_bias = pico.mlp_bias = biases;
    pico.tied_head = biases;
    write_pico_model(folder.path(), pico);
    const WeightSource source = open_weights(folder.path());
    const DecoderLayer layer = source.layer(1);
    CHECK(layer.q.sizes() == at::IntArrayRef({32, 32}));
    CHECK(layer.k.sizes() == at::IntArrayRef({16, 32}));
    CHECK(layer.q_bias.defined() == biases);
    CHECK(layer.o_bias.defined() == biases);
    CHECK(source.layer_without_ffn(1).ffn == nullptr);
    const auto ffn = source.dense_ffn(1);
    CHECK(ffn->down.sizes() == at::IntArrayRef({32, 48}));
    CHECK(ffn->down_bias.defined() == biases);
    const at::Tensor x = random_tensor({3, 32}, 1);
    CHECK(at::equal(ffn->forward(x).y, layer.ffn->forward(x).y));
    CHECK(source.head().weight.is_same(source.embedding()) == biases);
  }
}
