#include "commands/self_text.h"

#include <numeric>
#include <set>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/files.h"
#include "support/pico_model.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"
#include "text/corpus.h"

using namespace ladimo;
using namespace ladimo::testing;

namespace {

using Ids = std::vector<std::int32_t>;

Ids counting(std::int32_t first, std::size_t count) {
  Ids ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

Ids repeated(const Ids& part, int times) {
  Ids ids;
  for (int i = 0; i < times; ++i) ids.insert(ids.end(), part.begin(), part.end());
  return ids;
}

Ids operator+(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// An FFN after which the next token is always that of `direction`, whatever the input.
class Stuck : public FeedForward {
 public:
  explicit Stuck(at::Tensor direction) : y_(std::move(direction)) {}
  using FeedForward::forward;
  FfnOutput forward(const at::Tensor& x, const at::Tensor&) const override { return {y_.expand_as(x), {}}; }
  MoeShape shape() const override { return {}; }

 private:
  at::Tensor y_;  // [d]
};

}  // namespace

TEST_CASE("a text is kept up to the point where it begins to loop") {
  const Ids prose = counting(0, 60);
  struct Case {
    const char* what;
    Ids ids;
    std::size_t kept;
  };
  for (const Case& c : {Case{"nothing", {}, 0}, Case{"less than a 4-gram", {1, 2, 3}, 3},
                        Case{"no loop", prose, 60}, Case{"one token for ever", prose + Ids(60, 7), 61},
                        Case{"a phrase for ever", prose + repeated(counting(100, 8), 9), 68},
                        Case{"all of it twice", prose + prose, 60},
                        Case{"a phrase that comes back", prose + counting(0, 12) + counting(200, 40), 112}}) {
    CAPTURE(c.what);
    CHECK(length_before_loop(c.ids) == c.kept);
  }
}

TEST_CASE("the model's own text has the tokens asked for, and the same bytes with the same seed") {
  const TemporaryFolder folder;
  const Decoder decoder(open_weights(LADIMO_DEMO));
  const auto tokenizer = load_tokenizer(ModelFiles(std::filesystem::path(LADIMO_DEMO)));
  const auto write = [&](const char* name, std::uint64_t seed) {
    write_self_text(decoder, *tokenizer, 1500, 128, seed, folder / name, Context());
    return read_file(folder / name);
  };
  const std::string text = write("a.jsonl", 0);
  CHECK(text == write("b.jsonl", 0));
  CHECK(text != write("c.jsonl", 1));
  const std::vector<std::string> documents = read_documents(folder / "a.jsonl");
  std::size_t tokens = 0;
  for (const std::string& document : documents) tokens += tokenizer->encode(document).size();
  CHECK(tokens >= 1500);
  CHECK(tokens < 3000);
  CHECK(std::set(documents.begin(), documents.end()).size() == documents.size());
}

TEST_CASE("a model that only repeats itself is an error, texts too short are refused, and no file is left") {
  const TemporaryFolder folder;
  ModelShape pico;
  pico.hidden = 128;
  write_pico_model(folder.path(), pico);
  const WeightSource source = open_weights(folder.path());
  const Decoder decoder(source, {nullptr, std::make_shared<Stuck>(1e4 * source.embedding()[500])});
  const auto tokenizer = load_tokenizer(ModelFiles(folder.path()));
  CHECK_THROWS_AS(write_self_text(decoder, *tokenizer, 500, 64, 0, folder / "text.jsonl", Context()), Error);
  CHECK_THROWS_WITH_AS(write_self_text(decoder, *tokenizer, 500, 16, 0, folder / "text.jsonl", Context()),
                       "Texts of 16 tokens are too short to calibrate on.", Refusal);
  CHECK_FALSE(std::filesystem::exists(folder / "text.jsonl"));
}
