// Copies of a text are recognised, fresh text is not.
#include "text/text_sketch.h"

#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/random.h"
#include "text/corpus.h"
#include "text/letters.h"

using namespace ladimo;
namespace fs = std::filesystem;

namespace {

std::string letters_of(std::string_view text) {
  std::string letters;
  append_letters(text, letters);
  return letters;
}

/// A document of `words` words that no other `name` has.
std::string document(int name, int words) {
  Random random(static_cast<std::uint64_t>(name), "words");
  std::string text;
  for (int i = 0; i < words; ++i) {
    for (std::uint64_t letter = 0; letter < 3 + random.below(6); ++letter)
      text += static_cast<char>('a' + random.below(26));
    text += i % 12 == 11 ? ".\n" : " ";
  }
  return text;
}

std::vector<std::string> documents(int first, int count, int words = 200) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(document(first + i, words));
  return all;
}

TextSketch sketch_of(const std::vector<std::string>& documents) {
  TextSketch sketch;
  sketch.add(documents);
  return sketch;
}

double share(const TextSketch& sketch, const std::vector<std::string>& documents) {
  return sketch.overlap(documents).share().value_or(-1);
}

}  // namespace

TEST_CASE("letters stay the same when a text is wrapped, quoted or composed anew") {
  CHECK(letters_of("One day,\r\n  a “Big” dog-house: 12 — 3.\t") == "onedayabigdoghouse123");
  CHECK(letters_of("\uFF21\uFF42\uFF11") == "ab1");
  // The same words composed (NFC) and decomposed (NFD).
  CHECK(letters_of("caf\u00E9 na\u00EFve \u1EC7") == letters_of("cafe\u0301 nai\u0308ve e\u0323\u0302"));
  CHECK(letters_of("\u0439\u043E\u0433") == letters_of("\u0438\u0306\u043E\u0433"));
  CHECK(letters_of("\u304C\u304B\u30D1\u30CF") == letters_of("\u304B\u3099\u304B\u30CF\u309A\u30CF"));
  CHECK(letters_of("\uD55C\uAE00\uAC00") == letters_of("\u1112\u1161\u11AB\u1100\u1173\u11AF\u1100\u1161"));
  CHECK(letters_of("\u03AC\u03B2") == letters_of("\u03B1\u0301\u03B2"));
  CHECK(letters_of("\u65E5\u672C") == "\u65E5\u672C");
  CHECK(letters_of("a\xFF\xC3") == "a");  // no UTF-8
}

TEST_CASE("a sketch knows its text in another order, joined, wrapped and cut elsewhere, and no other text") {
  const auto seen = documents(0, 40);
  const TextSketch sketch = sketch_of(seen);
  CHECK(share(sketch, seen) == 1);
  CHECK(share(sketch, documents(100, 40)) == 0);

  auto shuffled = seen;
  std::ranges::reverse(shuffled);
  CHECK(share(sketch, shuffled) == 1);
  std::string joined, lines;
  for (const std::string& one : seen) joined += one;
  CHECK(share(sketch, {joined}) == 1);
  CHECK(share(sketch, {joined.substr(joined.size() / 3, joined.size() / 3)}) == 1);
  // One sentence a document: those of less than 64 letters are known from the stretches that cross them.
  std::vector<std::string> sentences;
  for (std::istringstream in(joined); std::getline(in, sentences.emplace_back());) {
  }
  CHECK(sentences.size() > 500);
  CHECK(share(sketch, sentences) > 0.5);
  // The other way round, the sketch of sentences knows the whole.
  CHECK(share(sketch_of(sentences), {joined}) == 1);

  auto mixed = documents(200, 30);
  mixed.insert(mixed.begin() + 7, seen.begin(), seen.begin() + 10);
  CHECK(share(sketch, mixed) == doctest::Approx(0.25).epsilon(0.1));
}

TEST_CASE("short documents are known as wholes, and what is too short or too plain counts for nothing") {
  std::vector<std::string> short_documents;
  for (int i = 0; i < 400; ++i) short_documents.push_back(document(i, 20).substr(0, 55));
  auto shuffled = short_documents;
  std::ranges::reverse(shuffled);
  const TextSketch sketch = sketch_of(short_documents);
  CHECK(share(sketch, shuffled) == 1);
  CHECK(share(sketch, documents(1000, 400, 8)) == 0);

  const std::vector<std::string> plain(500,
                                       "0 0 0 0 0 0 0 0 0 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1");
  CHECK(sketch_of(plain).empty());
  std::vector<std::string> titles;
  for (int i = 0; i < 50; ++i) titles.push_back("Once upon a time");
  CHECK(share(sketch, titles) <= 0);
  CHECK_FALSE(TextSketch().overlap({}).share().has_value());
}

TEST_CASE("a sketch of a long text has a bounded size and still tells the share") {
  const auto seen = documents(0, 200);
  TextSketch sketch(500);
  for (std::size_t i = 0; i < seen.size(); i += 20) sketch.add(std::span(seen).subspan(i, 20));
  CHECK(sketch.size() <= 500);
  CHECK(sketch.size() > 200);
  CHECK(share(sketch, seen) == 1);
  auto mixed = documents(1000, 200);
  mixed.insert(mixed.end(), seen.begin(), seen.begin() + 100);
  CHECK(share(sketch, mixed) == doctest::Approx(1.0 / 3).epsilon(0.25));
}

TEST_CASE("a sketch survives its bytes; damaged bytes are noticed") {
  const auto seen = documents(0, 20);
  TextSketch sketch(100);
  sketch.add(seen);
  const std::string bytes = sketch.bytes() + "rest";
  std::string_view left = bytes;
  const auto read = TextSketch::read(left);
  REQUIRE(read.has_value());
  CHECK(left == "rest");
  CHECK(read->bytes() == sketch.bytes());
  CHECK(share(*read, seen) == 1);
  for (const std::size_t length : {std::size_t{3}, bytes.size() / 2}) {
    left = std::string_view(bytes).substr(0, length);
    CHECK_FALSE(TextSketch::read(left).has_value());
  }
  std::string swapped = sketch.bytes();
  std::swap_ranges(swapped.begin() + 16, swapped.begin() + 24, swapped.begin() + 24);
  left = swapped;
  CHECK_FALSE(TextSketch::read(left).has_value());
}

TEST_CASE("fresh text of the same source is not known") {
  const fs::path texts = fs::path(LADIMO_SHARED) / "text";
  if (!fs::exists(texts)) {
    MESSAGE("skipped: there is no ../shared");
    return;
  }
  for (const std::string source : {"stories", "books"}) {
    INFO(source);
    const TextSketch sketch = sketch_of(read_documents(texts / (source + "-train.txt")));
    CHECK(share(sketch, read_documents(texts / (source + "-dev.txt"))) < 0.001);
    CHECK(share(sketch, read_documents(texts / "wikitext2-valid.txt")) < 0.001);
  }
}
