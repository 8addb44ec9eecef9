#include "text/tokenizer.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::TemporaryFolder;
using nlohmann::json;
using Ids = std::vector<std::int32_t>;

namespace {

const std::string awkward =
    "Once upon a time, there was a little girl named Lily.\nShe said \"na\u00efve caf\u00e9\" \U0001F600 and "
    "smiled.";

std::string refusal_of(const std::filesystem::path& folder) {
  try {
    load_tokenizer(ModelFiles(folder));
  } catch (const Refusal& refusal) {
    CHECK_FALSE(refusal.hint().empty());
    return refusal.what();
  }
  return "loaded";
}

/// Lays the demo's tokenizer.model in a folder, with a tokenizer_config.json unless `settings` is null.
void copy_tokenizer(const std::filesystem::path& folder, const json& settings) {
  write_file(folder / "tokenizer.model", read_file(std::filesystem::path(LADIMO_DEMO) / "tokenizer.model"));
  std::filesystem::remove(folder / "tokenizer_config.json");
  if (!settings.is_null()) write_json(folder / "tokenizer_config.json", settings);
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
  const auto tokenizer = load_tokenizer(ModelFiles(std::filesystem::path(LADIMO_DEMO)));
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

TEST_CASE("the tokenizer decides which token begins a text, and says where config.json differs") {
  const TemporaryFolder folder;
  const auto with = [&](const json& settings, std::int64_t bos) {
    copy_tokenizer(folder.path(), settings);
    return load_tokenizer(ModelFiles(folder.path()), ModelTokens{4100, bos, {2}});
  };
  const auto check = [&](const json& settings, std::int64_t config, std::int32_t bos, const char* warning) {
    CAPTURE(settings.dump());
    CAPTURE(config);
    const auto tokenizer = with(settings, config);
    CHECK(tokenizer->bos() == bos);
    const auto warnings = tokenizer->warnings();
    REQUIRE(warnings.size() == (warning[0] == 0 ? 0 : 1));
    if (warning[0] != 0) CHECK(warnings[0].message.find(warning) != std::string::npos);
  };
  check(nullptr, 1, 1, "");
  check(nullptr, 0, 1, "config.json names token 0 as BOS, but the tokenizer names token 1.");
  check(nullptr, -1, -1, "config.json names no BOS token, but the tokenizer names token 1.");
  check({{"add_bos_token", true}}, 1, 1, "");
  check({{"add_bos_token", true}}, -1, 1,
        "config.json names no token as BOS, but the tokenizer names token 1.");
  check({{"add_bos_token", false}}, 1, -1,
        "config.json names token 1 as BOS, but tokenizer_config.json says");
  check({{"add_bos_token", false}}, -1, -1, "");
  check({{"bos_token", nullptr}}, 1, -1, "(bos_token is null)");
  check({{"bos_token", "<s>"}}, 1, 1, "");
  check({{"bos_token", {{"content", "</s>"}}}}, 1, 2, "the tokenizer names token 2");
  check({{"bos_token", "<nope>"}}, 1, 1, "names <nope> as the BOS token, which is not a token of the model");
  check({{"eos_token", "<s>"}}, 1, 1, "The tokenizer ends texts with token 1");
}

TEST_CASE("added tokens in text are those of transformers") {
  // The expected tokens and texts were made with transformers 5.24.0: AutoTokenizer.from_pretrained(folder)
  // on this tokenizer.model with these settings and tokenizer_class LlamaTokenizer, and decode(ids,
  // skip_special_tokens=True).
  const json added = {{"4096", {{"content", "<|im_end|>"}, {"special", true}}},
                      {"4097", {{"content", "<|im_start|>"}, {"special", true}}},
                      {"4098", {{"content", "[tool]"}, {"special", false}}}};
  const auto changed = [&](const json& patch) {
    auto all = added;
    all.merge_patch(patch);
    return all;
  };
  const std::string chat = "<|im_start|>user\nHello there<|im_end|> and then more  <|im_end|>";
  const TemporaryFolder folder;
  struct Case {
    json settings;
    std::string text;
    Ids ids;
    std::string shown;
  };
  for (const Case& c :
       {Case{{{"added_tokens_decoder", added}},
             chat,
             {4097, 427, 270, 13, 4060, 3891, 446, 4096, 280, 602, 548, 4029, 4029, 4096},
             "user\nHello there and then more  "},
        Case{{{"added_tokens_decoder", added}}, "One [tool] two", {821, 4029, 4098, 711}, "One [tool] two"},
        Case{{{"added_tokens_decoder", added}}, "plain text", {2149, 1075, 1142}, "plain text"},
        Case{{{"added_tokens_decoder", added}, {"legacy", true}},
             chat,
             {4097, 596, 270, 13, 4060, 3891, 446, 4096, 280, 602, 548, 4029, 4029, 4096},
             "user\nHello there and then more  "},
        Case{{{"added_tokens_decoder", changed({{"4098", {{"lstrip", true}, {"rstrip", true}}}})}},
             "One [tool] two",
             {821, 4098, 4031, 3121},
             "One[tool]two"},
        Case{{{"added_tokens_decoder", changed({{"4098", {{"content", "qzx"}, {"single_word", true}}}})}},
             "qzx aqzx the qzx, qzxb qzx",
             {4098, 261, 4073, 4076, 4064, 263, 4029, 4098, 4048, 4029, 4073, 4076, 4064, 4050, 4029, 4098},
             "qzx aqzx the qzx, qzxb qzx"}}) {
    CAPTURE(c.settings.dump());
    CAPTURE(c.text);
    copy_tokenizer(folder.path(), c.settings);
    const auto tokenizer = load_tokenizer(ModelFiles(folder.path()), ModelTokens{4100, 1, {2}});
    const auto ids = tokenizer->encode(c.text);
    CHECK(ids == c.ids);
    CHECK(tokenizer->decode(ids) == c.shown);
    CHECK(streamed(*tokenizer, ids) == c.shown);
  }
}

TEST_CASE("a word after an added token keeps its space where the tokenizer trims text") {
  const TemporaryFolder folder;
  copy_tokenizer(folder.path(), {{"added_tokens_decoder", {{"4096", {{"content", "[x]"}}}}}});
  const auto model = folder / "tokenizer.model";
  // normalizer_spec {remove_extra_whitespaces: true}, which is merged into the model (see piece_model.cpp).
  write_file(model, read_file(model) + "\x1A\x02\x20\x01");
  const auto tokenizer = load_tokenizer(ModelFiles(folder.path()), ModelTokens{4100, 1, {2}});
  CHECK(tokenizer->encode("  One") == tokenizer->encode("One"));
  CHECK(tokenizer->encode("One[x] two") == Ids{821, 4096, 711});
}

TEST_CASE("added tokens are read from added_tokens.json, and those of tokenizer_config.json win") {
  const TemporaryFolder folder;
  copy_tokenizer(folder.path(), nullptr);
  const auto plain = load_tokenizer(ModelFiles(folder.path()));
  write_json(folder / "added_tokens.json", {{"<|im_end|>", 4096}, {"[x]", 4097}, {"[PAD]", 5000}});
  const ModelTokens model{4098, 1, {2}};
  const auto tokenizer = load_tokenizer(ModelFiles(folder.path()), model);
  CHECK(tokenizer->encode("[x]<|im_end|>") == Ids{4097, 4096});
  CHECK(tokenizer->decode(Ids{4097, 4096}) == "[x]");  // what is spelled <|...|> is special
  CHECK(tokenizer->added_token(4096) == "<|im_end|>");
  CHECK(tokenizer->added_token(40).empty());
  REQUIRE(tokenizer->warnings().size() == 1);
  CHECK(tokenizer->warnings()[0].message.find("[PAD] (5000) has no row in the embedding, which has 4098") !=
        std::string::npos);
  CHECK(tokenizer->encode("[PAD]") == plain->encode("[PAD]"));
  CHECK(tokenizer->fingerprint() != plain->fingerprint());

  write_json(folder / "special_tokens_map.json", {{"additional_special_tokens", {"[x]"}}});
  CHECK(load_tokenizer(ModelFiles(folder.path()), model)->decode(Ids{4097}).empty());

  copy_tokenizer(folder.path(), {{"added_tokens_decoder", {{"4097", {{"content", "[y]"}}}}}});
  const auto decoder = load_tokenizer(ModelFiles(folder.path()), model);
  CHECK(decoder->encode("[y]") == Ids{4097});
  CHECK(decoder->encode("[x]").size() > 1);
  REQUIRE(decoder->warnings().size() == 1);
  CHECK(decoder->warnings()[0].message.find("name different added tokens") != std::string::npos);
}

TEST_CASE("broken files beside tokenizer.model are refused by name") {
  const TemporaryFolder folder;
  const auto refusal = [&](const char* name, const std::string& content) {
    copy_tokenizer(folder.path(), nullptr);
    std::filesystem::remove(folder / "added_tokens.json");
    write_file(folder / name, content);
    return refusal_of(folder.path());
  };
  CHECK(refusal("tokenizer_config.json", "[]") == "tokenizer_config.json is not a JSON object.");
  CHECK(refusal("tokenizer_config.json", "{").find("tokenizer_config.json") != std::string::npos);
  CHECK(refusal("tokenizer_config.json", R"({"add_bos_token": 1})").find("add_bos_token") !=
        std::string::npos);
  CHECK(refusal("tokenizer_config.json", R"({"added_tokens_decoder": {"x": {"content": "a"}}})")
            .find("added_tokens_decoder.x is not the id of a token") != std::string::npos);
  CHECK(refusal("tokenizer_config.json", R"({"added_tokens_decoder": {"7": {}}})").find("content") !=
        std::string::npos);
  CHECK(refusal("added_tokens.json", R"({"a": -1})").find("is not the id of a token") != std::string::npos);
  CHECK(refusal("added_tokens.json", R"({"a": 1e30})").find("is not an integer") != std::string::npos);
}

TEST_CASE("decoding gives back the text, including bytes of unknown characters") {
  const auto tokenizer = load_tokenizer(ModelFiles(std::filesystem::path(LADIMO_DEMO)));
  for (const std::string& text : {awkward, std::string("  two  spaces "), std::string("\n\n\tx\n"),
                                  std::string("\u6f22\u5b57"), std::string()}) {
    CHECK(tokenizer->decode(tokenizer->encode(text)) == text);
    CHECK(streamed(*tokenizer, tokenizer->encode(text)) == text);
  }
}

TEST_CASE("control tokens vanish and impossible ids are refused") {
  const auto tokenizer = load_tokenizer(ModelFiles(std::filesystem::path(LADIMO_DEMO)));
  CHECK(tokenizer->decode(Ids{1, 963, 557, 2}) == "Once upon");
  CHECK(streamed(*tokenizer, {1, 963, 2, 557, 2}) == "Once upon");
  CHECK(tokenizer->decode(Ids{963, 4096, -1, 557, 70000}) == "Once upon");  // padding rows print nothing
}

TEST_CASE("a stream shows a character only when it is complete, and loses nothing") {
  const auto tokenizer = load_tokenizer(ModelFiles(std::filesystem::path(LADIMO_DEMO)));
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
  CHECK(refusal_of(folder.path()).find("no tokenizer.json and no tokenizer.model") != std::string::npos);
  for (const char* broken : {"", "this is no model", "\x0a\x05"}) {
    write_file(folder / "tokenizer.model", broken);
    CHECK(refusal_of(folder.path()).find("not a SentencePiece model") != std::string::npos);
  }
  const std::string whole = read_file(std::filesystem::path(LADIMO_DEMO) / "tokenizer.model");
  write_file(folder / "tokenizer.model", whole.substr(0, whole.size() / 2));
  CHECK(refusal_of(folder.path()).find("not a SentencePiece model") != std::string::npos);
}
