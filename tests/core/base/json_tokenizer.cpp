#include <algorithm>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/utf8.h"
#include "support/temporary_folder.h"
#include "text/byte_alphabet.h"
#include "text/tokenizer.h"

using namespace ladimo;
using ladimo::testing::TemporaryFolder;
using nlohmann::json;
using Ids = std::vector<std::int32_t>;

namespace {

const std::filesystem::path goldens = std::filesystem::path(LADIMO_TEST_DATA) / "tokenizers";
constexpr const char* names[] = {"gpt2", "llama3", "mistral", "llama2", "unknown", "unigram"};

json golden(const std::string& name) { return read_json(goldens / (name + ".json")); }

std::unique_ptr<Tokenizer> load(const json& file, const json& settings = {},
                                const std::optional<ModelTokens>& model = {}) {
  std::map<std::string, std::string> files{{"tokenizer.json", file.dump()}};
  if (!settings.is_null()) files["tokenizer_config.json"] = settings.dump();
  return load_tokenizer(ModelFiles("model", files), model);
}

std::string refusal_of(const json& file) {
  try {
    load(file);
  } catch (const Refusal& refusal) {
    CHECK_FALSE(refusal.hint().empty());
    return refusal.what();
  }
  return "loaded";
}

/// The refusal of a golden file in which one value is another.
std::string refusal_with(const std::string& name, const std::string& pointer, const json& value) {
  json file = golden(name);
  file[json::json_pointer(pointer)] = value;
  return refusal_of(file);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool has_text(const std::vector<Problem>& problems, const std::string& part) {
  for (const Problem& problem : problems)
    if (contains(problem.message, part)) return true;
  return false;
}

}  // namespace

TEST_CASE("tokens and text are those of Hugging Face tokenizers") {
  // The files, ids and texts were made by tests/interop/token_goldens.py with tokenizers 0.23.3.
  for (const std::string name : names) {
    CAPTURE(name);
    const auto tokenizer = load(golden(name));
    for (const auto& entry : read_json(goldens / (name + ".cases.json"))) {
      const auto ids = entry[1].get<Ids>();
      CAPTURE(entry[0].dump());
      if (entry[0].is_string()) CHECK(tokenizer->encode(entry[0].get<std::string>()) == ids);
      CHECK(tokenizer->decode(ids) == entry[2].get<std::string>());
    }
  }
}

TEST_CASE("streamed text of a tokenizer.json is the text decoded at once") {
  for (const std::string name : {"gpt2", "llama3", "mistral", "llama2"}) {
    CAPTURE(name);
    const auto tokenizer = load(golden(name));
    for (const auto& entry : read_json(goldens / (name + ".cases.json"))) {
      if (!entry[0].is_string()) continue;
      StreamDecoder decoder(*tokenizer);
      std::string text;
      const auto ids = entry[1].get<Ids>();
      for (const std::int32_t id : ids) text += decoder.add(id);
      CHECK(text + decoder.finish() == tokenizer->decode(ids));
    }
  }
}

TEST_CASE("streamed text is that of the whole where later bytes make earlier ones unreadable") {
  const auto tokenizer = load(golden("llama2"));
  const auto byte = [](int value) { return value + 3; };  // <0x00> is token 3
  REQUIRE(tokenizer->spelling(byte(0xC3)) == "<0xC3>");
  const auto word = tokenizer->encode("a").front();
  for (const Ids& ids : {Ids{word, byte(0xC3), byte(0xA9), byte(0xFF), word},
                         Ids{byte(0xC3), byte(0xA9), word, byte(0xC3), byte(0xA9)},
                         Ids{byte(0xC3), byte(0xA9), 1, byte(0xA9), byte(0xA9), byte(0xA9), word, word},
                         Ids{byte(0xC3), word, byte(0xF0), byte(0x9F), byte(0x98), byte(0x80), byte(0x80)}}) {
    StreamDecoder decoder(*tokenizer);
    std::string text;
    for (const std::int32_t id : ids) {
      text += decoder.add(id);
      CHECK_FALSE(find_invalid_utf8(text));
    }
    CHECK(text + decoder.finish() == tokenizer->decode(ids));
  }
}

TEST_CASE("streamed text follows a prompt that ends with bytes") {
  const auto tokenizer = load(golden("llama2"));
  const auto said = [&](const std::string& prompt, const Ids& ids) {
    StreamDecoder decoder(*tokenizer);
    decoder.follow(tokenizer->encode(prompt));
    std::string text;
    for (const std::int32_t id : ids) text += decoder.add(id);
    return text + decoder.finish();
  };
  const auto byte = [](int value) { return value + 3; };
  const auto word = tokenizer->encode("a").front();
  REQUIRE(tokenizer->spelling(word) == "\u2581a");
  REQUIRE(tokenizer->is_byte(tokenizer->encode("a\u1234").back()));
  for (const char* prompt : {"a\u1234", "\u1234", "a", ""}) {
    CAPTURE(prompt);
    CHECK(said(prompt, {word}) == (*prompt == 0 ? "a" : " a"));
    CHECK(said(prompt, {byte(0xFF), word}) == "\uFFFD a");
    CHECK(said(prompt, {byte(0xC3), byte(0xA9)}) == "\u00e9");
    CHECK(said(prompt, {}).empty());
  }
}

TEST_CASE("ids without a token print nothing, and special tokens are left out") {
  const auto tokenizer = load(golden("gpt2"));
  const auto word = tokenizer->encode("human");
  Ids ids = word;
  ids.insert(ids.begin(), {-1, 0, 1 << 30, 1});
  CHECK(tokenizer->decode(ids) == "human");
  CHECK(tokenizer->spelling(1 << 30).empty());
  CHECK(tokenizer->spelling(0) == "<s>");
  CHECK(tokenizer->added_token(0) == "<s>");
  CHECK(tokenizer->added_token(word.front()).empty());
}

TEST_CASE("a text begins with BOS where post_processor or tokenizer_config.json say so") {
  CHECK(load(golden("gpt2"))->bos() == -1);
  CHECK(load(golden("llama3"))->bos() == 0);
  // A model that names a BOS token gets none from a tokenizer that adds none, and nothing is amiss.
  const auto plain = load(golden("gpt2"), {{"bos_token", "<s>"}}, ModelTokens{600, 0, {1}});
  CHECK(plain->bos() == -1);
  CHECK(plain->warnings().empty());
  CHECK(load(golden("gpt2"), {{"bos_token", "<s>"}, {"add_bos_token", true}})->bos() == 0);
  CHECK(load(golden("gpt2"), {{"bos_token", nullptr}, {"add_bos_token", true}})->bos() == -1);
  CHECK(load(golden("gpt2"), {{"bos_token", "<s>"}, {"add_bos_token", false}})->warnings().empty());
  const auto contradicting = load(golden("llama3"), {{"bos_token", "<s>"}, {"add_bos_token", false}});
  CHECK(contradicting->bos() == -1);
  CHECK(has_text(contradicting->warnings(), "post_processor"));
}

TEST_CASE("the end of a text is also named by special_tokens_map.json") {
  const auto with = [](const json& settings) {
    return load_tokenizer(ModelFiles("model", {{"tokenizer.json", golden("gpt2").dump()},
                                               {"tokenizer_config.json", settings.dump()},
                                               {"special_tokens_map.json", R"({"eos_token": "</s>"})"}}));
  };
  CHECK(with(json::object())->eos() == 1);
  CHECK(with({{"eos_token", "<s>"}})->eos() == 1);
  CHECK(with({{"eos_token", "<s>"}, {"added_tokens_decoder", json::object()}})->eos() == 0);
}

TEST_CASE("added tokens come from both files") {
  const json listed = {{"added_tokens_decoder",
                        {{"900", {{"content", "<|new|>"}, {"special", true}}},
                         {"1", {{"content", "<other>"}, {"special", true}}}}}};
  const auto tokenizer = load(golden("gpt2"), listed);
  CHECK(tokenizer->encode("<|new|></s>") == Ids{900, 1});
  CHECK(tokenizer->encode("<other>").size() > 1);
  CHECK(has_text(tokenizer->warnings(), "<other>"));
  // A token that the embedding has no row for stays ordinary text.
  const auto narrow = load(golden("gpt2"), listed, ModelTokens{600, -1, {1}});
  CHECK(narrow->encode("<|new|>").size() > 1);
  CHECK(has_text(narrow->warnings(), "<|new|> (900) has no row"));
}

TEST_CASE("an added token has the id that the vocabulary gives it") {
  json file = golden("gpt2");
  const int id = file["model"]["vocab"]["nd"];
  file["added_tokens"].push_back({{"id", 900},
                                  {"content", "nd"},
                                  {"single_word", false},
                                  {"lstrip", false},
                                  {"rstrip", false},
                                  {"normalized", false},
                                  {"special", false}});
  const auto tokenizer = load(file);
  CHECK(tokenizer->encode("nd<|end|>") == Ids{id, 500});
  CHECK(tokenizer->added_token(id) == "nd");
  CHECK(has_text(tokenizer->warnings(), "nd has the id 900"));
  CHECK(load(golden("gpt2"))->warnings().empty());
  // As in tokenizers 0.23.3, the last of a token that a Unigram vocabulary lists twice.
  json twice = golden("unigram");
  const auto count = static_cast<std::int32_t>(twice["model"]["vocab"].size());
  twice["model"]["vocab"].push_back({"<x>", 0.0});
  twice["model"]["vocab"].push_back({"<x>", 0.0});
  twice["added_tokens"].push_back({{"id", count + 1},
                                   {"content", "<x>"},
                                   {"single_word", false},
                                   {"lstrip", false},
                                   {"rstrip", false},
                                   {"normalized", false},
                                   {"special", true}});
  CHECK(load(twice)->encode("<x>") == Ids{count + 1});
  CHECK(load(twice)->warnings().empty());
}

TEST_CASE("an added token that may not stand inside a word is text there as a whole") {
  const auto added = [](int id, const char* content, bool single_word) {
    return json{{"id", id},        {"content", content}, {"single_word", single_word},
                {"lstrip", false}, {"rstrip", false},    {"normalized", false},
                {"special", false}};
  };
  json file = golden("gpt2");
  file["added_tokens"].push_back(added(900, "foo", true));
  file["added_tokens"].push_back(added(901, "fo", false));
  const auto tokenizer = load(file), plain = load(golden("gpt2"));
  // As tokenizers 0.23.3 gives it: fo is not found in the foo that was dropped.
  CHECK(tokenizer->encode("xfoox") == plain->encode("xfoox"));
  CHECK(tokenizer->encode("foo") == Ids{900});
  CHECK(tokenizer->encode("fo") == Ids{901});
}

TEST_CASE("thousands of added tokens are found as fast as a few") {
  json file = golden("gpt2");
  std::string text;
  for (int i = 0; i < 20000; ++i) {
    const auto content = "<SPECIAL_" + std::to_string(i) + ">";
    file["added_tokens"].push_back({{"id", 1000 + i},
                                    {"content", content},
                                    {"single_word", false},
                                    {"lstrip", false},
                                    {"rstrip", false},
                                    {"normalized", false},
                                    {"special", true}});
    text += content + "<b>";
  }
  const auto ids = load(file)->encode(text);
  CHECK(ids.front() == 1000);
  CHECK(std::ranges::count_if(ids, [](std::int32_t id) { return id >= 1000; }) == 20000);
}

TEST_CASE("what a tokenizer.json asks for and is not known here is refused by name") {
  CHECK(contains(refusal_with("gpt2", "/model/type", "WordPiece"), "WordPiece"));
  CHECK(contains(refusal_with("llama3", "/normalizer/type", "Precompiled"), "Precompiled"));
  CHECK(contains(
      refusal_with("llama3", "/normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "Nmt"}}}}}),
      "Nmt"));
  CHECK(contains(refusal_with("gpt2", "/pre_tokenizer/pretokenizers/0/type", "UnicodeScripts"),
                 "UnicodeScripts"));
  CHECK(contains(refusal_with("gpt2", "/pre_tokenizer/pretokenizers/0",
                              {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}),
                 "nothing may follow ByteLevel"));
  CHECK(contains(refusal_with("llama3", "/pre_tokenizer/pretokenizers/0/pattern", {{"Regex", "(a"}}), "(a"));
  CHECK(contains(refusal_with("llama3", "/pre_tokenizer/pretokenizers/0/behavior", "Sideways"), "Sideways"));
  CHECK(contains(refusal_with("mistral", "/pre_tokenizer/prepend_scheme", "sometimes"), "sometimes"));
  CHECK(contains(refusal_with("gpt2", "/decoder/type", "WordPiece"), "WordPiece"));
  CHECK(contains(refusal_with("llama3", "/post_processor/processors/0/type", "BertProcessing"),
                 "BertProcessing"));
  const json twice = {{{"SpecialToken", {{"id", "<s>"}}}}, {{"SpecialToken", {{"id", "<s>"}}}}};
  CHECK(contains(refusal_with("llama3", "/post_processor/processors/1/single", twice), "several tokens"));
  CHECK(contains(refusal_with("gpt2", "/model/dropout", 0.1), "dropout"));
  CHECK(contains(refusal_with("gpt2", "/model/end_of_word_suffix", "</w>"), "end_of_word_suffix"));
}

TEST_CASE("a damaged tokenizer.json is refused with the place") {
  CHECK(contains(refusal_of(json::array()), "tokenizer.json"));
  CHECK(contains(refusal_of(json::object()), "model"));
  CHECK(contains(refusal_with("gpt2", "/model/vocab/a", -1), "id of a token"));
  CHECK(contains(refusal_with("gpt2", "/model/vocab/a", 1e9), "id of a token"));
  CHECK(contains(refusal_with("gpt2", "/model/merges/0", "onlyone"), "merges[0]"));
  CHECK(contains(refusal_with("gpt2", "/model/merges/0", {"a", "\u00e9\u0301no"}), "merges[0]"));
  CHECK(contains(refusal_with("gpt2", "/model/merges/0", {"zzz", "a"}), "no token of the vocabulary"));
  CHECK(contains(refusal_with("mistral", "/model/unk_token", "<nothing>"), "unk_token"));
  CHECK(contains(refusal_with("unigram", "/model/unk_id", 100000), "unk_id"));
  CHECK(contains(refusal_with("unigram", "/model/vocab/3", {"a"}), "vocab[3]"));
  CHECK(contains(refusal_with("gpt2", "/added_tokens/0/id", -4), "id of a token"));
}

TEST_CASE("the tokenizer.model stands in for a tokenizer.json that cannot be used") {
  TemporaryFolder folder;
  write_file(folder / "tokenizer.model", read_file(std::filesystem::path(LADIMO_DEMO) / "tokenizer.model"));
  write_json(folder / "tokenizer.json", golden("gpt2"));
  CHECK(load_tokenizer(ModelFiles(folder.path()))->size() < 1000);
  json file = golden("gpt2");
  file["model"]["type"] = "WordPiece";
  write_json(folder / "tokenizer.json", file);
  const auto tokenizer = load_tokenizer(ModelFiles(folder.path()));
  CHECK(tokenizer->size() == 4096);
  CHECK(has_text(tokenizer->warnings(), "tokenizer.json cannot be used"));
}

TEST_CASE("text that is not UTF-8 is refused") {
  const auto tokenizer = load(golden("gpt2"));
  CHECK_THROWS_AS(tokenizer->encode("\xFF"), Refusal);
  CHECK_THROWS_AS(tokenizer->encode("a\xE2\x82"), Refusal);
}

TEST_CASE("bytes and their spelling in the alphabet of GPT-2") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(bytes_spelled(spell_bytes(all)) == all);
  CHECK(spell_bytes(" a\n") == "\u0120a\u010a");
  CHECK_FALSE(bytes_spelled("\u0394"));
  CHECK_FALSE(bytes_spelled(" "));
}

TEST_CASE("UTF-8 is read by the letter of RFC 3629") {
  for (const char* wrong :
       {"\x80", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5", "\xC3"})
    CHECK(find_invalid_utf8(wrong) == 0u);
  CHECK_FALSE(find_invalid_utf8("a\u00e9\u20ac\U0001F600"));
  for (const char32_t character : {U'a', U'\u00e9', U'\u20ac', U'\U0001F600', U'\U0010FFFF'}) {
    std::string text;
    append_utf8(character, text);
    CHECK(utf8_at(text, 0).value == character);
    CHECK(utf8_at(text, 0).bytes == text.size());
  }
  // One U+FFFD for each part that could have begun a character, as Unicode recommends.
  CHECK(with_replacements("a\xE2\x82z\xF0\x9F\x98\xFF") == "a\uFFFDz\uFFFD\uFFFD");
}
