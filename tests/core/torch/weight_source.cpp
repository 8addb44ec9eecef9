#include "model/weight_source.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "kernels/q8_0.h"
#include "support/gguf_file.h"
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

namespace {

/// Gives a tensor of the file random blocks of Q8_0, as quantisers write them: in every block the largest
/// magnitude is 127. The scales use all bits of a half.
void fill_with_blocks(GgufFile::Tensor& tensor, Random& random) {
  const auto blocks = static_cast<std::int64_t>(tensor.shape[0] * tensor.shape[1]) / q8_0::block_inputs;
  REQUIRE(static_cast<std::int64_t>(tensor.shape[1]) % q8_0::block_inputs == 0);
  tensor.type = 8;
  tensor.bytes.clear();
  for (std::int64_t block = 0; block < blocks; ++block) {
    tensor.bytes += raw(static_cast<std::uint16_t>(0x1400 + random.below(0x1000)));
    std::string integers;
    while (integers.size() < 32) integers += static_cast<char>(static_cast<int>(random.below(255)) - 127);
    integers[random.below(32)] = static_cast<char>(random.below(2) == 0 ? 127 : -127);
    tensor.bytes += integers;
  }
}

/// Whether rows [n, inputs] become the blocks of the file when they are held as Q8_0.
bool are_those_of(const at::Tensor& rows, const GgufFile::Tensor& tensor) {
  const at::Tensor plain = rows.contiguous();
  const std::int64_t inputs = plain.size(1);
  const auto row_bytes = static_cast<std::size_t>(q8_0::bytes(inputs));
  const auto in_file = std::as_bytes(std::span(tensor.bytes));
  std::vector<std::byte> found(row_bytes);
  for (std::int64_t r = 0; r < plain.size(0); ++r) {
    q8_0::quantise(plain.data_ptr<float>() + r * inputs, inputs, 1, found.data());
    if (!std::ranges::equal(found, in_file.subspan(static_cast<std::size_t>(r) * row_bytes, row_bytes)))
      return false;
  }
  return true;
}

}  // namespace

TEST_CASE("weights of a GGUF file in Q8_0 are the same numbers again when they are held as q8_0") {
  const TemporaryFolder folder;
  write_pico_model(folder / "pico");
  GgufFile gguf = gguf_of(folder / "pico");
  const auto named = [&](const char* name) -> GgufFile::Tensor& {
    const auto found = std::ranges::find(gguf.tensors, name, &GgufFile::Tensor::name);
    REQUIRE((found != gguf.tensors.end()));
    return *found;
  };
  auto &gate = named("blk.1.ffn_gate.weight"), &embedding = named("token_embd.weight");
  Random random(0, "blocks");
  for (auto* tensor : {&gate, &embedding}) fill_with_blocks(*tensor, random);
  write_file(folder / "pico.gguf", gguf.bytes());

  const WeightSource rounded = open_weights(folder / "pico.gguf"), exact = rounded.exact();
  CHECK(are_those_of(exact.dense_ffn(1)->gate, gate));
  // Read as the checkpoint presents it, in bf16, it is rounded first.
  CHECK_FALSE(at::equal(exact.dense_ffn(1)->gate, rounded.dense_ffn(1)->gate));
  const at::Tensor ids = at::arange(exact.config().vocab_size, at::kLong);
  CHECK(are_those_of(exact.embed(ids), embedding));
  CHECK_FALSE(at::equal(exact.embed(ids), rounded.embed(ids)));
}
