// Every family and rope type, compared with Hugging Face transformers (tests/data/parity/families.json says
// which version; tests/interop/families.sh --golden makes the file).
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/files.h"
#include "decode/generation.h"
#include "stream/walk.h"
#include "support/formula_model.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"

using namespace ladimo;
using namespace ladimo::testing;
using nlohmann::json;

namespace {

/// What transformers computed for one tiny model.
struct Golden {
  std::string name;
  json config, tensors;
  at::Tensor ids;        // [1, T]
  at::Tensor positions;  // [P]
  at::Tensor logits;     // [P, vocab]

  explicit Golden(const json& from) : name(from["name"]), config(from["config"]), tensors(from["tensors"]) {
    const auto whole = [&](const char* key) {
      return at::tensor(from[key].get<std::vector<std::int64_t>>());
    };
    ids = whole("ids").unsqueeze(0);
    positions = whole("positions");
    logits =
        at::tensor(from["logits"].get<std::vector<double>>()).to(at::kFloat).view({positions.size(0), -1});
  }
};

const std::vector<Golden>& goldens() {
  static const std::vector<Golden> all = [] {
    const auto file = read_json(std::filesystem::path(LADIMO_TEST_DATA) / "parity" / "families.json");
    std::vector<Golden> read;
    for (const json& golden : file["cases"]) read.emplace_back(golden);
    return read;
  }();
  return all;
}

const Golden& golden(const std::string& name) {
  for (const Golden& one : goldens())
    if (one.name == name) return one;
  throw Error("There is no golden " + name + ".");
}

WeightSource weights_of(const Golden& golden, const TemporaryFolder& folder) {
  write_formula_model(folder.path(), golden.config, golden.tensors);
  return open_weights(folder.path());
}

Windows as_windows(const Golden& golden) {
  Windows windows;
  windows.window = golden.ids.size(1);
  windows.source = {0};
  for (std::int64_t i = 0; i < windows.window; ++i)
    windows.tokens.push_back(golden.ids[0][i].item<std::int32_t>());
  return windows;
}

}  // namespace

TEST_CASE("every family and rope type has the logits of transformers") {
  for (const Golden& golden : goldens()) {
    CAPTURE(golden.name);
    const TemporaryFolder folder;
    const Decoder decoder(weights_of(golden, folder));
    const at::Tensor logits = decoder.forward(golden.ids).logits[0].index_select(0, golden.positions);
    CHECK(max_difference(logits, golden.logits) < 1e-4);
    // Prefilled in chunks, the frequencies are those of the whole text.
    KvCache cache = decoder.make_cache(1, golden.ids.size(1));
    const at::Tensor last = read_in_chunks(decoder, golden.ids, cache, 7);
    CHECK(max_difference(last[0], golden.logits[-1]) < 1e-4);
  }
}

TEST_CASE("layer by layer, as conversion and eval pass a text, the logits are the same") {
  for (const Golden& golden : goldens()) {
    CAPTURE(golden.name);
    const TemporaryFolder folder;
    const WeightSource source = weights_of(golden, folder);
    auto stream = ResidualStream::embedded(source, as_windows(golden), {});
    Walk how;
    how.layers = source.config().layers;
    walk(source, stream, how, {});
    const at::Tensor rows = stream.read(0, 1)[0].index_select(0, golden.positions);
    CHECK(max_difference(source.head().logits(rows), golden.logits) < 1e-4);
  }
}

TEST_CASE("token by token the logits are those of one pass, unless the frequencies change on the way") {
  for (const Golden& golden : goldens()) {
    CAPTURE(golden.name);
    const TemporaryFolder folder;
    const Decoder decoder(weights_of(golden, folder));
    const RopeScaling& scaling = decoder.config().rope_scaling;
    const bool by_length =
        scaling.kind == RopeScaling::Kind::dynamic || scaling.kind == RopeScaling::Kind::longrope;
    const std::int64_t width =
        by_length ? std::min(golden.ids.size(1), scaling.original_positions) : golden.ids.size(1);
    const at::Tensor one_pass = decoder.forward(golden.ids.narrow(1, 0, width)).logits[0];
    KvCache cache = decoder.make_cache(1, width);
    for (std::int64_t t = 0; t < width; ++t) {
      const at::Tensor logits = decoder.forward(golden.ids.narrow(1, t, 1), &cache).logits[0];
      REQUIRE(max_difference(logits[0], one_pass[t]) < 1e-4);
    }
  }
}

TEST_CASE("text that grows past longrope's border is computed again with the other frequencies") {
  for (const std::string name : {"llama_longrope", "phi3_partial_longrope"}) {
    CAPTURE(name);
    Golden endless = golden(name);
    endless.config["eos_token_id"] = nullptr;
    const TemporaryFolder folder;
    const Decoder decoder(weights_of(endless, folder));
    std::vector<std::int32_t> text = as_windows(endless).tokens;
    text.resize(12);  // of 16 original positions
    Sampling sampling;
    sampling.max_tokens = 12;
    const auto generated = generate(decoder, text, sampling, {});
    REQUIRE(generated.size() == 12);
    for (const GeneratedToken& token : generated) {
      const at::Tensor ids = at::tensor(at::ArrayRef<std::int32_t>(text)).to(at::kLong).unsqueeze(0);
      const at::Tensor logits = decoder.forward(ids, nullptr, true).logits[0][0];
      CHECK(token.id == logits.argmax().item<std::int32_t>());
      text.push_back(token.id);
    }
  }
}

TEST_CASE("the gradient with respect to an FFN's output counts the residual multiplier") {
  const TemporaryFolder folder;
  const WeightSource source = weights_of(golden("granite"), folder);
  REQUIRE(source.config().residual_multiplier == 0.4);
  const Windows windows = as_windows(golden("granite"));
  auto stream = ResidualStream::embedded(source, windows, {});
  std::vector<ResidualStream> inputs;
  Walk how;
  how.layers = source.config().layers;
  how.inputs = &inputs;
  walk(source, stream, how, {});
  ResidualStream gradient(source, 1, windows.window, {}, at::kFloat);
  const at::Tensor g = random_tensor({1, windows.window, source.config().hidden_size}, 1);
  gradient.write(0, g);
  at::Tensor last;
  const auto see = [&](const BackwardChunk& chunk) {
    if (!last.defined()) last = chunk.gradient;
  };
  walk_back(source, std::move(inputs), gradient, see, [](std::int64_t) {}, {});
  CHECK(max_difference(last, g[0] * 0.4) < 1e-6);
}
