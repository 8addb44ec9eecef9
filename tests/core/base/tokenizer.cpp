#include "text/tokenizer.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/files.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::TemporaryFolder;
using Ids = std::vector<std::int32_t>;

namespace {

const std::string awkward =
    "Once upon a time, there was a little girl named Lily.\nShe said \"na\u00efve caf\u00e9\" \U0001F600 and "
    "smiled.";

std::string refusal_of(const std::filesystem::path& folder) {
  try {
    load_tokenizer(folder);
  } catch (const Refusal& refusal) {
    CHECK_FALSE(refusal.hint().empty());
    return refusal.what();
  }
  return "loaded";
}

std::string streamed(const Tokenizer& tokenizer, const Ids& ids) {
  StreamDecoder decoder(tokenizer);
  std::string text;
  for (const std::int32_t id : ids) text += decoder.add(id);
  return text + decoder.finish();
}

}  // namespace

TEST_CASE("tokens are those of sentencepiece itself") {
  // The expected tokens were made with the Python package sentencepiece 0.2.3:
  // SentencePieceProcessor(model_file=...).encode(text).
  const auto tokenizer = load_tokenizer(LADIMO_DEMO);
  CHECK(tokenizer->size() == 4096);
  CHECK(tokenizer->bos() == 1);
  CHECK(tokenizer->eos() == 2);
  CHECK(tokenizer->encode(awkward) == Ids{963,  557,  261,  524, 4048, 446, 306, 261, 540,  758,  1204, 655,
                                          4051, 13,   2816, 391, 316,  975, 198, 178, 318,  1327, 4045, 198,
                                          172,  4054, 4029, 243, 162,  155, 131, 280, 1237, 4051});
  CHECK(tokenizer->encode("The quick brown fox \u2014 42 jumps!") ==
        Ids{341, 1455, 2862, 743, 4064, 4029, 4087, 4029, 55, 53, 481, 471, 738, 4067});
  CHECK(tokenizer->encode("").empty());
}

TEST_CASE("the model's config decides which token begins a text, if any") {
  CHECK(load_tokenizer(LADIMO_DEMO, -1)->bos() == -1);
  CHECK(load_tokenizer(LADIMO_DEMO, 7)->bos() == 7);
}

TEST_CASE("decoding gives back the text, including bytes of unknown characters") {
  const auto tokenizer = load_tokenizer(LADIMO_DEMO);
  for (const std::string& text : {awkward, std::string("  two  spaces "), std::string("\n\n\tx\n"),
                                  std::string("\u6f22\u5b57"), std::string()}) {
    CHECK(tokenizer->decode(tokenizer->encode(text)) == text);
    CHECK(streamed(*tokenizer, tokenizer->encode(text)) == text);
  }
}

TEST_CASE("control tokens vanish and impossible ids are refused") {
  const auto tokenizer = load_tokenizer(LADIMO_DEMO);
  CHECK(tokenizer->decode(Ids{1, 963, 557, 2}) == "Once upon");
  CHECK(streamed(*tokenizer, {1, 963, 2, 557, 2}) == "Once upon");
  CHECK_THROWS_WITH_AS(tokenizer->decode(Ids{4096}), doctest::Contains("no token 4096"), Refusal);
  CHECK_THROWS_AS(tokenizer->decode(Ids{-1}), Refusal);
}

TEST_CASE("a stream shows a character only when it is complete, and loses nothing") {
  const auto tokenizer = load_tokenizer(LADIMO_DEMO);
  const Ids bytes = {243, 162, 155, 131};  // the four bytes of U+1F600
  StreamDecoder decoder(*tokenizer);
  CHECK(decoder.add(963) == "Once");
  for (int i = 0; i < 3; ++i) CHECK(decoder.add(bytes[static_cast<std::size_t>(i)]).empty());
  CHECK(decoder.add(bytes[3]) == "\U0001F600");
  CHECK(decoder.add(557) == " upon");
  CHECK(decoder.add(bytes[0]).empty());
  CHECK(decoder.finish() == "\uFFFD");
  CHECK(decoder.finish().empty());
  // Bytes that never form a character come out as in the text decoded at once.
  const Ids odd = {963, 131, 131, 131, 131, 131, 557, 243, 162, 4029, 4029, 557, 198, 178};
  CHECK(streamed(*tokenizer, odd) == tokenizer->decode(odd));
}

TEST_CASE("a file that is not a tokenizer is refused with a reason") {
  TemporaryFolder folder;
  CHECK(refusal_of(folder.path()).find("no tokenizer.model") != std::string::npos);
  write_file(folder / "tokenizer.json", "{}");
  CHECK(refusal_of(folder.path()).find("only SentencePiece") != std::string::npos);
  for (const char* broken : {"", "this is no model", "\x0a\x05"}) {
    write_file(folder / "tokenizer.model", broken);
    CHECK(refusal_of(folder.path()).find("not a SentencePiece model") != std::string::npos);
  }
  const std::string whole = read_file(std::filesystem::path(LADIMO_DEMO) / "tokenizer.model");
  write_file(folder / "tokenizer.model", whole.substr(0, whole.size() / 2));
  CHECK(refusal_of(folder.path()).find("not a SentencePiece model") != std::string::npos);
}
