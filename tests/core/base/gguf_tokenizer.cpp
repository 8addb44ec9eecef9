#include "checkpoint/gguf_tokenizer.h"

#include <doctest/doctest.h>

#include "checkpoint/checkpoint.h"
#include "checkpoint/gguf.h"
#include "support/gguf_file.h"
#include "support/refusals.h"
#include "support/temporary_folder.h"
#include "text/tokenizer.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

/// A byte-level vocabulary as a converter writes it.
GgufFile byte_level(const std::string& pre) {
  GgufFile gguf;
  gguf.text("tokenizer.ggml.model", "gpt2");
  gguf.text("tokenizer.ggml.pre", pre);
  gguf.texts("tokenizer.ggml.tokens", {"<|end|>", "a", "b", "\xC4\xA0", "ab", "<tool>", "[PAD6]"});
  gguf.list<std::int32_t>("tokenizer.ggml.token_type", 5, {3, 1, 1, 1, 1, 4, 5});
  gguf.texts("tokenizer.ggml.merges", {"a b", "\xC4\xA0 a"});
  gguf.whole("tokenizer.ggml.bos_token_id", 0);
  gguf.whole("tokenizer.ggml.eos_token_id", 0);
  return gguf;
}

std::map<std::string, std::string> files_of(const GgufFile& gguf) {
  const TemporaryFolder folder;
  write_file(folder / "m.gguf", gguf.bytes());
  return gguf_tokenizer_files(Gguf::open(folder / "m.gguf").metadata);
}

nlohmann::json json_of_pre(const std::string& pre) {
  return nlohmann::json::parse(files_of(byte_level(pre)).at("tokenizer.json"));
}

}  // namespace

TEST_CASE("pieces give the ids of the tokenizer.model that they came from") {
  const TemporaryFolder folder;
  write_pico_model(folder / "model");
  write_file(folder / "m.gguf", gguf_of(folder / "model").bytes());
  const auto original = load_tokenizer(ModelFiles(folder / "model"), ModelTokens{4096, 1, {2}});
  const auto made = load_tokenizer(model_files(folder / "m.gguf"), ModelTokens{4096, 1, {2}});
  CHECK(made->size() == original->size());
  CHECK(made->bos() == original->bos());
  CHECK(made->eos() == original->eos());
  for (const char* text : {"", " ", "Once upon a time", "  two  spaces ", "\tA tab\n\nand lines\r\n",
                           "caf\xC3\xA9 \xE2\x82\xAC 5", "\xE4\xBD\xA0\xE5\xA5\xBD", "\xF0\x9F\x90\xB1 cat",
                           "x = [1, 2];  // code", "bad \xFF byte"}) {
    CAPTURE(text);
    const auto ids = original->encode(text);
    CHECK(made->encode(text) == ids);
    CHECK(made->decode(ids) == original->decode(ids));
  }
  CHECK(made->encode("</s>") == std::vector<std::int32_t>{2});
  CHECK(made->warnings().empty());
}

TEST_CASE("the space before a text and BOS are as the file says") {
  const TemporaryFolder folder;
  write_pico_model(folder / "model");
  auto gguf = gguf_of(folder / "model");
  gguf.flag("tokenizer.ggml.add_space_prefix", false);
  gguf.flag("tokenizer.ggml.add_bos_token", false);
  write_file(folder / "m.gguf", gguf.bytes());
  const auto made = load_tokenizer(model_files(folder / "m.gguf"));
  CHECK(made->bos() == -1);
  CHECK(made->encode("time") != load_tokenizer(ModelFiles(folder / "model"))->encode("time"));
  CHECK(made->encode(" time") == load_tokenizer(ModelFiles(folder / "model"))->encode("time"));
}

TEST_CASE("pieces that no SentencePiece model may have are refused by the key") {
  const auto pieces = [](const std::vector<std::int32_t>& kinds) {
    GgufFile gguf;
    gguf.text("tokenizer.ggml.model", "llama");
    gguf.texts("tokenizer.ggml.tokens", {"a", "<s>", "</s>", "<unk>", "<0x0A>"});
    gguf.list<float>("tokenizer.ggml.scores", 6, {0, 0, 0, 0, 0});
    gguf.list<std::int32_t>("tokenizer.ggml.token_type", 5, kinds);
    return gguf;
  };
  // The unknown token is the one of that kind, and not always the first.
  const auto made = load_tokenizer(ModelFiles("m.gguf", files_of(pieces({1, 3, 3, 2, 1}))));
  CHECK(made->encode("?").back() == 3);
  CHECK(made->decode(std::vector<std::int32_t>{0}) == "a");
  const auto refused = [&](const char* sentence, const std::vector<std::int32_t>& kinds) {
    check_refused(sentence, [&] { files_of(pieces(kinds)); });
  };
  refused("token_type says that tokens 0 and 3 both stand for what is unknown", {2, 3, 3, 2, 1});
  refused("token_type names 1 of the 256 bytes", {1, 3, 3, 2, 6});
  refused("token_type says that token 0 (a) is a byte, which are spelled like <0x0A>", {6, 3, 3, 2, 6});
}

TEST_CASE("a byte-level vocabulary becomes a tokenizer.json") {
  auto gguf = byte_level("smollm");
  gguf.text("tokenizer.chat_template", "{{ messages }}");
  const auto files = files_of(gguf);
  const auto json = nlohmann::json::parse(files.at("tokenizer.json"));
  CHECK(json["model"]["type"] == "BPE");
  CHECK(json["model"]["vocab"] ==
        nlohmann::json{{"<|end|>", 0}, {"a", 1}, {"b", 2}, {"\xC4\xA0", 3}, {"ab", 4}, {"<tool>", 5}});
  CHECK(json["model"]["merges"].dump(-1, ' ', true) == R"([["a","b"],["\u0120","a"]])");
  REQUIRE(json["added_tokens"].size() == 2);
  CHECK(json["added_tokens"][0]["content"] == "<|end|>");
  CHECK(json["added_tokens"][0]["special"] == true);
  CHECK(json["added_tokens"][1]["id"] == 5);
  CHECK(json["added_tokens"][1]["special"] == false);
  CHECK(json["post_processor"].is_null());
  const auto settings = nlohmann::json::parse(files.at("tokenizer_config.json"));
  CHECK(settings["add_bos_token"] == false);
  CHECK(settings["bos_token"] == "<|end|>");
  CHECK(settings["pad_token"].is_null());
  CHECK(settings["chat_template"] == "{{ messages }}");
}

TEST_CASE("pre-tokenisers are told by their names") {
  const auto steps = [](const std::string& pre) { return json_of_pre(pre)["pre_tokenizer"]; };
  CHECK(steps("gpt-2")["type"] == "ByteLevel");
  CHECK(steps("gpt-2")["use_regex"] == true);
  CHECK(steps("starcoder")["pretokenizers"][0] ==
        nlohmann::json{{"type", "Digits"}, {"individual_digits", true}});
  CHECK(steps("starcoder") == steps("smollm"));
  CHECK(steps("llama-bpe")["pretokenizers"].size() == 2);
  CHECK(steps("llama-bpe")["pretokenizers"][0]["pattern"]["Regex"].get<std::string>().find("\\p{N}{1,3}") !=
        std::string::npos);
  CHECK(steps("deepseek-coder")["pretokenizers"].size() == 6);
  CHECK(steps("deepseek-llm")["pretokenizers"].size() == 7);
  CHECK(json_of_pre("llama-bpe")["model"]["ignore_merges"] == true);
  CHECK(json_of_pre("llama-bpe")["post_processor"]["special_tokens"]["<|end|>"]["ids"] == nlohmann::json{0});
  CHECK(json_of_pre("qwen2")["normalizer"]["type"] == "NFC");
  CHECK(json_of_pre("qwen2")["post_processor"].is_null());
}

TEST_CASE("a tokenizer that cannot be read is refused by name") {
  const struct {
    const char* sentence;
    void (*change)(GgufFile&);
  } cases[] = {
      {"pre is \"odd\", an unknown pre-tokeniser", [](GgufFile& g) { g.text("tokenizer.ggml.pre", "odd"); }},
      {"model is \"t5\", an unknown kind", [](GgufFile& g) { g.text("tokenizer.ggml.model", "t5"); }},
      {"the file contains no tokenizer", [](GgufFile& g) { g.erase("tokenizer.ggml.model"); }},
      {"the file contains no vocabulary", [](GgufFile& g) { g.erase("tokenizer.ggml.tokens"); }},
      {"merges is missing", [](GgufFile& g) { g.erase("tokenizer.ggml.merges"); }},
      {"contains \"ab\", which is not a pair", [](GgufFile& g) { g.texts("tokenizer.ggml.merges", {"ab"}); }},
      {"contains \"\", which is not a pair", [](GgufFile& g) { g.texts("tokenizer.ggml.merges", {""}); }},
      {"token_type has 1 entries for 7 tokens",
       [](GgufFile& g) { g.list<std::int32_t>("tokenizer.ggml.token_type", 5, {1}); }},
      {"contains 9, an unknown kind",
       [](GgufFile& g) {
         g.list<std::int32_t>("tokenizer.ggml.token_type", 5, {1, 1, 1, 1, 1, 1, 9});
       }},
      {"bos_token_id is 7, but there are 7", [](GgufFile& g) { g.whole("tokenizer.ggml.bos_token_id", 7); }},
      {"contains token 1 (x) twice",
       [](GgufFile& g) {
         g.texts("tokenizer.ggml.tokens", {"x", "x", "b", "c", "d", "e", "f"});
       }},
      {"spells token 1 as nothing",
       [](GgufFile& g) {
         g.texts("tokenizer.ggml.tokens", {"x", "", "b", "c", "d", "e", "f"});
       }},
      {"scores is missing", [](GgufFile& g) { g.text("tokenizer.ggml.model", "llama"); }},
      {"scores has 1 entries", [](GgufFile& g) { g.list<float>("tokenizer.ggml.scores", 6, {1}); }},
  };
  for (const auto& item : cases) {
    CAPTURE(item.sentence);
    auto gguf = byte_level("gpt-2");
    item.change(gguf);
    check_refused(item.sentence, [&] { files_of(gguf); });
  }
}
