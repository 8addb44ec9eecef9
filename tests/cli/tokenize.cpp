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

TEST_CASE("a tokenizer needs no architecture that is known, and no weights") {
  const Workplace work;
  const auto text = work.folder / "a.txt", gguf = work.folder / "model.gguf";
  write_file(text, "the cat");
  const json expected = json_of({"tokenize", work.model, "--text", text});
  auto file = gguf_of(work.model, true);
  file.text("general.architecture", "mamba");
  write_file(gguf, file.bytes());
  CHECK(json_of({"tokenize", gguf, "--text", text}) == expected);
  CHECK(run({"inspect", gguf}).status == 2);
  std::filesystem::remove(work.model / "model.safetensors");
  CHECK(json_of({"tokenize", work.model, "--text", text}) == expected);
  // A folder that holds a GGUF file and nothing else names it.
  std::filesystem::create_directory(work.folder / "commit");
  std::filesystem::rename(gguf, work.folder / "commit" / "model.gguf");
  const auto refused = run({"tokenize", work.folder / "commit", "--text", text});
  CHECK(refused.status == 2);
  CHECK(refused.err.find("Use the file itself") != std::string::npos);
}

TEST_CASE("tokenize gives the ids that a conversion uses, and its warnings") {
  const Workplace work;
  const auto text = work.folder / "a.txt";
  write_file(text, "<|far|>");
  write_json(work.model / "added_tokens.json", {{"<|far|>", 5000}});
  const auto found = run({"tokenize", work.model, "--text", text, "--json"});
  REQUIRE(found.status == 0);
  CHECK(json::parse(found.out)["ids"].size() > 1);
  CHECK(found.err.find("<|far|> (5000) has no row in the embedding") != std::string::npos);
  // Without a configuration, nobody knows how many rows there are.
  std::filesystem::remove(work.model / "config.json");
  CHECK(json_of({"tokenize", work.model, "--text", text})["ids"] == json{5000});
}

TEST_CASE("tokenize refuses what it cannot read with a hint") {
  const Workplace work;
  const auto wrong = work.folder / "wrong.txt";
  write_file(wrong, "a\xFF");
  const auto refused = run({"tokenize", work.model, "--text", wrong});
  CHECK(refused.status == 2);
  CHECK(refused.err.find("wrong.txt is not UTF-8 text: error at byte 1.") != std::string::npos);
  CHECK(refused.err.find("hint:") != std::string::npos);
  CHECK(run({"tokenize", work.folder / "nowhere", "--text", wrong}).status == 2);
}
