#include "decode/decoder.h"

#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "base/error.h"
#include "checkpoint/safetensors.h"
#include "support/pico_model.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"

using namespace ladimo;
using namespace ladimo::testing;

namespace {

const std::filesystem::path data = std::filesystem::path(LADIMO_TEST_DATA) / "parity";

// What Hugging Face transformers computed (tests/parity/make_golden.py).
struct Golden {
  at::Tensor ids;        // [1, T]
  at::Tensor positions;  // [P]
  at::Tensor logits;     // [P, vocab]

  explicit Golden(const std::string& name) {
    const TensorStore store = TensorStore::open(data / (name + ".safetensors"));
    ids = to_tensor(store.at("ids"), at::kCPU, at::kLong).unsqueeze(0);
    positions = to_tensor(store.at("positions"), at::kCPU, at::kLong);
    logits = to_tensor(store.at("logits"), at::kCPU, at::kFloat);
  }
};

struct Parity {
  std::string name;
  std::filesystem::path checkpoint;
};

const std::vector<Parity> parity_cases = {
    {"demo", LADIMO_DEMO},
    {"stories260K", std::filesystem::path(LADIMO_SHARED) / "models" / "stories260K"},
    {"tiny_llama3", data / "tiny_llama3"},    // llama3 scaling, separate head
    {"tiny_linear", data / "tiny_linear"},    // linear scaling, biases, one key head, head_dim not d / heads
    {"tiny_mistral", data / "tiny_mistral"},  // sliding window
};

bool is_there(const Parity& parity) {
  const bool found = std::filesystem::exists(parity.checkpoint);
  if (!found) MESSAGE(parity.name << " is absent: skipped");
  return found;
}

at::Tensor random_ids(std::int64_t batch, std::int64_t width, std::int64_t vocab, std::uint64_t seed) {
  return ((random_tensor({batch, width}, seed) + 1) / 2 * static_cast<double>(vocab))
      .to(at::kLong)
      .clamp(0, vocab - 1);
}

}  // namespace

TEST_CASE("logits equal those of Hugging Face transformers") {
  for (const Parity& parity : parity_cases) {
    if (!is_there(parity)) continue;
    CAPTURE(parity.name);
    const Golden golden(parity.name);
    const Decoder decoder(open_weights(parity.checkpoint));
    const at::Tensor logits = decoder.forward(golden.ids).logits[0].index_select(0, golden.positions);
    CHECK(max_difference(logits, golden.logits) < 1e-4);
  }
}

TEST_CASE("with the cache, token by token or in chunks, logits equal those of one pass") {
  for (const Parity& parity : parity_cases) {
    if (!is_there(parity)) continue;
    CAPTURE(parity.name);
    const Golden golden(parity.name);
    const Decoder decoder(open_weights(parity.checkpoint));
    const std::int64_t width = golden.ids.size(1);
    const at::Tensor one_pass = decoder.forward(golden.ids).logits;
    KvCache stepwise = decoder.make_cache(1, width);
    for (std::int64_t t = 0; t < width; ++t) {
      const at::Tensor logits = decoder.forward(golden.ids.narrow(1, t, 1), &stepwise).logits;
      REQUIRE(max_difference(logits[0][0], one_pass[0][t]) < 1e-4);
    }
    for (const std::int64_t chunk : {std::int64_t{7}, std::int64_t{13}, width, width + 5}) {
      KvCache cache = decoder.make_cache(1, width);
      const at::Tensor last = read_in_chunks(decoder, golden.ids, cache, chunk);
      CHECK(max_difference(last[0], one_pass[0][width - 1]) < 1e-4);
      CHECK(cache.length(0) == width);
    }
  }
}

TEST_CASE("a batch gives the same as its sequences one by one") {
  const Decoder decoder(open_weights(LADIMO_DEMO));
  const at::Tensor ids = random_ids(3, 20, 4096, 1);
  const at::Tensor batch = decoder.forward(ids).logits;
  KvCache cache = decoder.make_cache(3, 20);
  const at::Tensor continued = read_in_chunks(decoder, ids, cache, 24);
  for (std::int64_t b = 0; b < 3; ++b) {
    const at::Tensor alone = decoder.forward(ids.narrow(0, b, 1)).logits[0];
    CHECK(max_difference(batch[b], alone) < 1e-4);
    CHECK(max_difference(continued[b], alone[19]) < 1e-4);
  }
}

TEST_CASE("logits of the last position alone equal the last of all positions") {
  const Decoder decoder(open_weights(LADIMO_DEMO));
  const at::Tensor ids = random_ids(2, 9, 4096, 1);
  const at::Tensor last = decoder.forward(ids, nullptr, true).logits;
  CHECK(last.sizes() == at::IntArrayRef({2, 1, 4096}));
  CHECK(max_difference(last.select(1, 0), decoder.forward(ids).logits.select(1, 8)) < 1e-5);
}

TEST_CASE("logits in bf16 are close to those in fp32") {
  const Golden golden("demo");
  const Decoder decoder(open_weights(LADIMO_DEMO, at::kBFloat16));
  KvCache cache = decoder.make_cache(1, golden.ids.size(1));
  const at::Tensor logits = decoder.forward(golden.ids, &cache).logits;
  CHECK(relative_difference(logits[0].index_select(0, golden.positions), golden.logits) < 0.02);
}

TEST_CASE("an FFN that replaces the dense one is used and counted") {
  const TemporaryFolder folder;
  write_pico_model(folder.path());
  const WeightSource source = open_weights(folder.path());
  const auto moe = std::make_shared<MoeWeights>(random_moe(*source.dense_ffn(1), 5, 8, 3));
  const auto with = [&](const LayerPolicy& policy) {
    return Decoder(source, {nullptr, std::make_shared<MoeLayer>(moe, policy)});
  };
  const at::Tensor ids = random_ids(2, 10, 4096, 1);
  const at::Tensor dense = Decoder(source).forward(ids).logits;
  const Decoder::Output all = with(LayerPolicy::top(5)).forward(ids);
  CHECK(max_difference(all.logits, dense) < 1e-4);
  CHECK_FALSE(all.experts[0].defined());
  CHECK(at::equal(all.experts[1], at::full({20}, 5.0f)));
  const Decoder sparse = with(LayerPolicy::above(0.1));
  const Decoder::Output some = sparse.forward(ids);
  CHECK(max_difference(some.logits, dense) > 1e-2);
  KvCache cache = sparse.make_cache(2, 10);
  read_in_chunks(sparse, ids, cache, 4);
  for (const std::int64_t b : {0, 1}) {
    CHECK(sparse.experts(0, b) == -1);
    CHECK(sparse.experts(1, b) == some.experts[1].view({2, 10})[b][9].item<int>());
  }
}

TEST_CASE("more tokens than the model has positions are refused") {
  const TemporaryFolder folder;
  write_pico_model(folder.path());
  const Decoder decoder(open_weights(folder.path()));
  CHECK_THROWS_WITH_AS(decoder.forward(random_ids(1, 65, 4096, 1)),
                       "The text has 65 tokens, but the model has only 64 positions.", Refusal);
}
