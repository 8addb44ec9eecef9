#include "decode/generation.h"

#include <numeric>
#include <string>

#include "base/error.h"
#include "support/pico_model.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"
#include "text/tokenizer.h"

// This comes last, because torch's logging headers define another CHECK.
#include <doctest/doctest.h>

using namespace ladimo;
using namespace ladimo::testing;

namespace {

using Ids = std::vector<std::int32_t>;

Ids ids_of(const std::vector<GeneratedToken>& tokens) {
  Ids ids;
  for (const GeneratedToken& token : tokens) ids.push_back(token.id);
  return ids;
}

Decoder pico_decoder(const TemporaryFolder& folder, const ModelShape& pico = {}) {
  write_pico_model(folder.path(), pico);
  return Decoder(open_weights(folder.path()));
}

std::vector<Ids> sample(const Decoder& decoder, std::int64_t count, std::int64_t length, std::uint64_t seed) {
  const Context context;
  Progress progress(context, count * (length - 1));
  return sample_sequences(decoder, 1, count, length, 1.0, seed, progress);
}

}  // namespace

TEST_CASE("stories260K continues as its author published") {
  const std::filesystem::path folder = std::filesystem::path(LADIMO_SHARED) / "models" / "stories260K";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("stories260K is absent: skipped");
    return;
  }
  const auto tokenizer = load_tokenizer(ModelFiles(folder));
  const Decoder decoder(open_weights(folder));
  Ids ids = tokenizer->encode("Once upon a time");
  ids.insert(ids.begin(), tokenizer->bos());
  for (const GeneratedToken& token : generate(decoder, ids, {.max_tokens = 120}, Context()))
    ids.push_back(token.id);
  const std::string published =
      "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, "
      "she saw a big, red ball. She wanted to play with it, but it was too high.";
  CHECK(tokenizer->decode(ids).substr(0, published.size()) == published);
}

TEST_CASE("greedy generation always takes the most likely token of a full pass") {
  const TemporaryFolder folder;
  const Decoder decoder = pico_decoder(folder);
  const Ids prompt = {1, 17, 300};
  Ids seen;
  const auto tokens = generate(decoder, prompt, {.max_tokens = 12}, Context(),
                               [&](const GeneratedToken& token) { seen.push_back(token.id); });
  REQUIRE(tokens.size() == 12);
  CHECK(seen == ids_of(tokens));
  std::vector<std::int64_t> ids(prompt.begin(), prompt.end());
  for (const GeneratedToken& token : tokens) {
    const at::Tensor logits = decoder.forward(at::tensor(ids).unsqueeze(0), nullptr, true).logits;
    CHECK(logits.argmax().item<std::int64_t>() == token.id);
    CHECK(token.experts == std::vector<int>{-1, -1});
    ids.push_back(token.id);
  }
}

TEST_CASE("generation stops at EOS, at max_tokens and at the last position") {
  const TemporaryFolder folder;
  const Decoder decoder = pico_decoder(folder);
  const Ids prompt = {1, 17, 300};
  const Ids all = ids_of(generate(decoder, prompt, {.max_tokens = 1000}, Context()));
  CHECK(all.size() == 64 - 3);
  CHECK(generate(decoder, prompt, {.max_tokens = 0}, Context()).empty());
  std::size_t first = 4;  // where the token that becomes EOS appears first
  for (std::size_t i = 4; i > 0; --i)
    if (all[i - 1] == all[4]) first = i - 1;
  ModelShape pico;
  pico.extra = {{"eos_token_id", {7, all[4]}}};
  const Decoder stopping = pico_decoder(folder, pico);
  CHECK(ids_of(generate(stopping, prompt, {.max_tokens = 1000}, Context())) ==
        Ids(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first)));
}

TEST_CASE("sampling gives the same only with the same seed, and follows the temperature") {
  const TemporaryFolder folder;
  const Decoder decoder = pico_decoder(folder);
  const Ids prompt = {1, 17, 300};
  const auto sampled = [&](double temperature, std::uint64_t seed) {
    return ids_of(generate(decoder, prompt, {20, temperature, seed}, Context()));
  };
  CHECK(sampled(1, 5) == sampled(1, 5));
  CHECK(sampled(1, 5) != sampled(1, 6));
  CHECK(sampled(1e-4, 5) == sampled(0, 0));
}

TEST_CASE("drawn tokens have the model's probabilities") {
  const TemporaryFolder folder;
  const Decoder decoder = pico_decoder(folder);
  const at::Tensor probabilities =
      at::softmax(decoder.forward(at::tensor({std::int64_t{1}}).view({1, 1})).logits[0][0], -1);
  const auto likeliest = probabilities.argmax().item<std::int64_t>();
  const double expected = probabilities[likeliest].item<double>();
  const std::vector<Ids> sequences = sample(decoder, 2000, 2, 11);
  int hits = 0;
  for (const Ids& ids : sequences) hits += ids.size() == 2 && ids[1] == likeliest ? 1 : 0;
  const double deviation = std::sqrt(expected * (1 - expected) / 2000);
  CHECK(std::abs(hits / 2000.0 - expected) < 4 * deviation);
}

TEST_CASE("sequences begin with BOS, end before EOS, and do not depend on how many are sampled") {
  const TemporaryFolder folder;
  ModelShape pico;
  pico.extra["eos_token_id"] = nlohmann::json::array();
  for (int id = 3; id < 400; ++id) pico.extra["eos_token_id"].push_back(id);
  const Decoder decoder = pico_decoder(folder, pico);
  const std::vector<Ids> many = sample(decoder, 70, 24, 3), few = sample(decoder, 3, 24, 3);
  REQUIRE(many.size() == 70);
  CHECK(std::equal(few.begin(), few.end(), many.begin()));
  CHECK(sample(decoder, 3, 24, 4) != few);
  std::size_t shorter = 0;
  for (const Ids& ids : many) {
    CHECK(ids.front() == 1);
    CHECK(ids.size() <= 24);
    shorter += ids.size() < 24 ? 1 : 0;
    for (const std::int32_t id : ids) CHECK((id < 3 || id >= 400));
  }
  CHECK(shorter > 0);
  CHECK(shorter < 70);
}

TEST_CASE("sampling reports all of its progress and stops when asked") {
  const TemporaryFolder folder;
  const Decoder decoder = pico_decoder(folder);
  ProgressEvent last;
  std::atomic<bool> cancel = false;
  const Context context([&](const Event& event) { last = std::get<ProgressEvent>(event); }, &cancel);
  Progress progress(context, 5 * 9);
  sample_sequences(decoder, 1, 5, 10, 1.0, 0, progress);
  CHECK(last.done == 45);
  cancel = true;
  CHECK_THROWS_AS(sample_sequences(decoder, 1, 5, 10, 1.0, 0, progress), Interrupted);
  CHECK_THROWS_AS(generate(decoder, Ids{1}, {}, context), Interrupted);
}

TEST_CASE("prompts and lengths that the model cannot serve are refused") {
  const TemporaryFolder folder;
  const Decoder decoder = pico_decoder(folder);
  struct Case {
    Ids prompt;
    const char* sentence;
  };
  for (const Case& c :
       {Case{{}, "The prompt is empty."},
        Case{Ids(64, 1), "The prompt has 64 tokens, but the model has only 64 positions."},
        Case{{1, 4096}, "The prompt contains the token 4096, but the model knows only 4096 tokens."},
        Case{{-1}, "The prompt contains the token -1, but the model knows only 4096 tokens."}})
    CHECK_THROWS_WITH_AS(generate(decoder, c.prompt, {}, Context()), c.sentence, Refusal);
  CHECK_THROWS_WITH_AS(sample(decoder, 1, 65, 0),
                       "Texts of 65 tokens were requested, but the model has only 64 positions.", Refusal);
  const Context context;
  Progress progress(context, 7);
  CHECK_THROWS_WITH_AS(sample_sequences(decoder, -1, 1, 8, 1.0, 0, progress),
                       "The model has no BOS token, so it cannot begin a text of its own.", Refusal);
}
