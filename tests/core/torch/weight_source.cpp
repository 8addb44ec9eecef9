#include "model/weight_source.h"

#include <cstdint>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "support/pico_model.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"

using namespace ladimo;
using namespace ladimo::testing;

TEST_CASE("stored numbers are converted to the dtype of the computation, at any byte offset") {
  const at::Tensor values = at::tensor({1.5f, -2.0f, 0.25f, 96.0f}).view({2, 2});
  const TemporaryFolder folder;
  for (const auto& [stored, type] : {std::pair{DType::f32, at::kFloat}, std::pair{DType::f16, at::kHalf},
                                     std::pair{DType::bf16, at::kBFloat16}}) {
    const at::Tensor written = values.to(type);
    std::string header = fmt::format(R"({{"t":{{"dtype":"{}","shape":[2,2],"data_offsets":[0,{}]}}}})",
                                     dtype_name(stored), written.nbytes());
    header.resize(101, ' ');  // the tensor begins at an odd byte
    const std::uint64_t length = header.size();
    write_file(folder / "t.safetensors",
               std::string(reinterpret_cast<const char*>(&length), sizeof length) + header +
                   std::string(static_cast<const char*>(written.data_ptr()), written.nbytes()));
    const auto store = TensorStore::open(folder / "t.safetensors");
    for (const at::ScalarType wanted : {at::kFloat, at::kBFloat16}) {
      const at::Tensor read = to_tensor(store.at("t"), at::kCPU, wanted);
      CHECK((read.scalar_type() == wanted));
      CHECK(at::equal(read.to(at::kFloat), values));
    }
  }
}

TEST_CASE("an unsupported dtype is refused by name") {
  const TensorView view{"model.norm.weight", DType::other, "F8_E4M3", {0}, {}, "w.safetensors"};
  CHECK_THROWS_WITH_AS(to_tensor(view, at::kCPU, at::kFloat),
                       "Tensor model.norm.weight has the unknown dtype F8_E4M3.", Refusal);
}

TEST_CASE("a layer is read whole or in halves, with the biases that the config names") {
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
    const WeightSource kept(Checkpoint::open(folder.path()), at::kCPU, at::kFloat, {.keep = true});
    CHECK(kept.head().weight.is_same(kept.embedding()) == pico.tied_head);
  }
}
