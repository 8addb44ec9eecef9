#include "text/piece_list.h"

#include <filesystem>

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/gguf_file.h"
#include "support/refusals.h"

using namespace ladimo;
using namespace ladimo::testing;

TEST_CASE("the pieces of a tokenizer.model are read") {
  const auto file = std::filesystem::path(LADIMO_DEMO) / "tokenizer.model";
  const auto list = PieceList::read(read_file(file));
  const Pieces wanted(read_file(file));
  REQUIRE(list.pieces.size() == wanted.tokens.size());
  for (std::size_t id = 0; id < list.pieces.size(); ++id) {
    CHECK(list.pieces[id].spelling == wanted.tokens[id]);
    CHECK(list.pieces[id].score == wanted.scores[id]);
    CHECK(static_cast<int>(list.pieces[id].kind) == wanted.types[id]);
  }
  CHECK(list.model == PieceList::Model::bpe);
  CHECK(list.adds_space);
  CHECK_FALSE(list.removes_spaces);
  CHECK_FALSE(list.changes_characters);
}

TEST_CASE("what a tokenizer.model does not say has sentencepiece's default") {
  const auto list = PieceList::read(std::string_view("\x0A\x03\x0A\x01z", 5));  // one piece: z
  REQUIRE(list.pieces.size() == 1);
  CHECK(list.pieces[0].spelling == "z");
  CHECK(list.pieces[0].kind == PieceList::Kind::normal);
  CHECK(list.model == PieceList::Model::unigram);
  CHECK(list.adds_space);
  CHECK(list.removes_spaces);
  // normalizer_spec: a table of 1 byte, no space before the text.
  const auto other = PieceList::read(std::string_view("\x0A\x03\x0A\x01z\x1A\x05\x12\x01x\x18\x00", 12));
  CHECK(other.changes_characters);
  CHECK_FALSE(other.adds_space);
}

TEST_CASE("what is no tokenizer.model is refused wherever it ends") {
  const auto refused = [](std::string_view bytes) {
    check_refused("tokenizer.model is not a SentencePiece model, or it is damaged",
                  [&] { PieceList::read(bytes); });
  };
  refused("");
  refused("\x0A");
  refused("\x0A\x7F\x0A");
  refused("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
  refused("plain text");
  refused(std::string_view("\x0A\x05\x0A\x01z\x18\x09", 7));  // a piece of an unknown kind
  refused(std::string_view("\x0A\x03\x0A\x01z\x12\x02\x18\x07", 9));
  const auto whole = read_file(std::filesystem::path(LADIMO_DEMO) / "tokenizer.model").substr(0, 400);
  for (std::size_t length = 1; length < whole.size(); ++length) {
    const std::string said = refusal_of([&] { PieceList::read(std::string_view(whole).substr(0, length)); });
    CHECK((said.empty() || said.find("tokenizer.model") == 0));
  }
}
