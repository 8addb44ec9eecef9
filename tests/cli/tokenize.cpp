// The tokens of text, from every form in which a model may be named.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "support/gguf_file.h"
#include "support/pico_model.h"
#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;
using nlohmann::json;

TEST_CASE("a folder, its tokenizer alone and a GGUF file give the same tokens") {
  const Workplace work;
  const auto text = work.folder / "a.txt", gguf = work.folder / "model.gguf", alone = work.folder / "alone";
  write_file(text, "the cat\n\nthe dog");
  write_file(gguf, gguf_of(work.model, true).bytes());
  std::filesystem::create_directory(alone);
  std::filesystem::copy_file(work.model / "tokenizer.model", alone / "tokenizer.model");
  const json expected = json_of({"tokenize", work.model, "--text", text});
  CHECK(expected["ids"].size() == expected["tokens"].size());
  CHECK(expected["tokens"][0] == "\u2581the");
  CHECK(json_of({"tokenize", gguf, "--text", text}) == expected);
  CHECK(json_of({"tokenize", alone, "--text", text}) == expected);
  // Files follow each other.
  CHECK(json_of({"tokenize", alone, "--text", text, text})["ids"].size() == 2 * expected["ids"].size());
}

TEST_CASE("tokenize refuses what it cannot read with a hint") {
  const Workplace work;
  const auto wrong = work.folder / "wrong.txt";
  write_file(wrong, "a\xFF");
  const auto refused = run({"tokenize", work.model, "--text", wrong});
  CHECK(refused.status == 2);
  CHECK(refused.err.find("wrong.txt is not UTF-8 text: it goes wrong at byte 1.") != std::string::npos);
  CHECK(refused.err.find("hint:") != std::string::npos);
  CHECK(run({"tokenize", work.folder / "nowhere", "--text", wrong}).status == 2);
}
