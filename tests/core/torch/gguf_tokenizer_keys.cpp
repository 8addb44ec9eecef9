#include "transfer/gguf_tokenizer_keys.h"

#include <map>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "checkpoint/gguf.h"
#include "checkpoint/gguf_tokenizer.h"
#include "checkpoint/gguf_vocabulary.h"
#include "support/gguf_file.h"
#include "support/pico_model.h"
#include "support/refusals.h"
#include "support/temporary_folder.h"
#include "text/tokenizer.h"
#include "transfer/gguf_tokens.h"

using namespace ladimo;
using namespace ladimo::testing;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

const fs::path goldens = fs::path(LADIMO_TEST_DATA) / "tokenizers";
using Ids = std::vector<std::int32_t>;

/// A tiny model with a tokenizer, and the GGUF file of its keys.
struct Written {
  TemporaryFolder folder;

  Written() = default;
  /// The model's vocabulary has `rows` rows; its tokenizer.json is `tokenizer`.
  Written(const json& tokenizer, std::int64_t rows, const json& config = json::object()) {
    make(rows, config);
    fs::remove(folder / "model/tokenizer.model");
    write_json(folder / "model/tokenizer.json", tokenizer);
  }

  void make(std::int64_t rows, const json& config = json::object()) const {
    ModelShape shape;
    shape.vocab = rows;
    shape.extra = config;
    write_pico_model(folder / "model", shape);
  }
  void put(const std::string& name, const json& content) const {
    write_json(folder / ("model/" + name), content);
  }

  /// Opens the file that is written now. Throws what the writer throws.
  Gguf gguf(const std::string& source = "model", const std::string& name = "m.gguf") const {
    GgufKeys keys;
    add_gguf_tokenizer_keys(keys, Checkpoint::open(folder / source));
    write_gguf(folder / name, keys, {}, 1, [](const GgufTensorSpec&) {});
    return Gguf::open(folder / name);
  }
};

std::unique_ptr<Tokenizer> tokenizer_of(const Gguf& gguf) {
  return load_tokenizer(ModelFiles("m.gguf", gguf_tokenizer_files(gguf.metadata)));
}

/// The texts of a golden file.
std::vector<std::string> texts_of(const std::string& name) {
  std::vector<std::string> texts;
  for (const auto& entry : read_json(goldens / (name + ".cases.json")))
    if (entry[0].is_string()) texts.push_back(entry[0]);
  for (const char* more : {"  two  spaces ", "\tA tab\n\nand lines\r\n", "x = [1, 2345];  // code",
                           "</s>a <s> b", "the tool</s>", "\xF0\x9F\x90\xB1 cat"})
    texts.emplace_back(more);
  return texts;
}

void check_same_ids(const Tokenizer& a, const Tokenizer& b, const std::string& golden) {
  const auto texts = texts_of(golden);
  CHECK(texts.size() > 20);
  for (const std::string& text : texts) {
    CAPTURE(text);
    const auto ids = a.encode(text);
    CHECK(b.encode(text) == ids);
    CHECK(b.decode(ids) == a.decode(ids));
  }
}

/// A golden tokenizer.json without what GGUF has no word for: added tokens that take spaces along.
json golden(const std::string& name) {
  auto tokenizer = read_json(goldens / (name + ".json"));
  for (auto& token : tokenizer["added_tokens"])
    for (const char* key : {"lstrip", "rstrip", "single_word", "normalized"}) token[key] = false;
  return tokenizer;
}

/// The same tokens with the merges that Hugging Face makes of a SentencePiece model: all ways to put a token
/// together, by its place.
json with_all_merges(json tokenizer) {
  auto& model = tokenizer["model"];
  std::vector<std::string> order;
  for (const auto& merge : model["merges"]) {
    const auto token = merge[0].get<std::string>() + merge[1].get<std::string>();
    if (std::ranges::find(order, token) == order.end()) order.push_back(token);
  }
  json merges = json::array();
  for (const std::string& token : order)
    for (std::size_t at = 1; at < token.size(); ++at) {
      const auto left = token.substr(0, at), right = token.substr(at);
      if ((static_cast<unsigned char>(right[0]) & 0xc0U) == 0x80U) continue;
      if (model["vocab"].contains(left) && model["vocab"].contains(right)) merges.push_back({left, right});
    }
  model["merges"] = std::move(merges);
  return tokenizer;
}

}  // namespace

TEST_CASE("byte-level BPE keeps its ids") {
  const Written model(golden("gpt2"), 520);
  const auto gguf = model.gguf();
  const auto& metadata = gguf.metadata;
  CHECK(metadata.text("tokenizer.ggml.model") == "gpt2");
  CHECK(metadata.text("tokenizer.ggml.pre") == "smollm");
  CHECK_FALSE(metadata.has("tokenizer.ggml.scores"));
  const auto vocabulary = GgufVocabulary::read(metadata);
  REQUIRE(vocabulary.tokens.size() == 520);
  CHECK(vocabulary.kinds[0] == TokenKind::control);
  CHECK(vocabulary.kinds[66] == TokenKind::normal);
  CHECK(vocabulary.tokens[500] == "<|end|>");
  CHECK(vocabulary.tokens[502] == "tool");
  CHECK(vocabulary.kinds[502] == TokenKind::added);
  CHECK(vocabulary.tokens[503] == "[PAD503]");
  CHECK(vocabulary.kinds[519] == TokenKind::unused);
  CHECK(metadata.texts("tokenizer.ggml.merges")->size() == 242);
  CHECK(metadata.flag("tokenizer.ggml.add_bos_token") == false);
  check_same_ids(*load_tokenizer(ModelFiles(model.folder / "model")), *tokenizer_of(gguf), "gpt2");
}

TEST_CASE("merges are pairs or words") {
  auto tokenizer = golden("gpt2");
  auto words = tokenizer;
  for (auto& merge : words["model"]["merges"])
    merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  const auto merges = [](const json& file) {
    const Written model(file, 520);
    const auto gguf = model.gguf();
    const auto views = gguf.metadata.texts("tokenizer.ggml.merges");
    return std::vector<std::string>(views->begin(), views->end());
  };
  CHECK(merges(tokenizer) == merges(words));
}

TEST_CASE("pre-tokenisers are recognised") {
  auto llama3 = golden("llama3");  // composes characters, and does not look for whole words
  const auto pre_of = [](const json& tokenizer) {
    const auto* found = gguf_pre_tokenizer_of(tokenizer);
    return found == nullptr ? std::string_view() : found->name;
  };
  CHECK(pre_of(llama3) == "");
  llama3["normalizer"] = nullptr;
  CHECK(pre_of(llama3) == "dbrx");
  llama3["model"]["ignore_merges"] = true;
  CHECK(pre_of(llama3) == "llama-bpe");
  auto removed = llama3;  // another spelling of the same
  removed["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Removed";
  CHECK(pre_of(removed) == "");
  removed["pre_tokenizer"]["pretokenizers"][0]["invert"] = true;
  CHECK(pre_of(removed) == "llama-bpe");
  auto prefix = llama3;
  prefix["pre_tokenizer"]["pretokenizers"][1]["add_prefix_space"] = true;
  CHECK(pre_of(prefix) == "");
  auto lower = llama3;
  lower["normalizer"] = {{"type", "Lowercase"}};
  CHECK(pre_of(lower) == "");
  // Each name that GGUF files are read by gives a tokenizer.json that has that name, or one that cuts alike.
  for (const char* name :
       {"llama-bpe", "smaug-bpe", "qwen2", "deepseek-r1-qwen", "tekken", "gpt-4o", "gpt-2", "olmo", "smollm",
        "starcoder", "deepseek-llm", "deepseek-coder", "deepseek-v3", "default"}) {
    CAPTURE(name);
    GgufFile file;
    file.text("tokenizer.ggml.model", "gpt2");
    file.text("tokenizer.ggml.pre", name);
    file.texts("tokenizer.ggml.tokens", {"<s>", "a", "b", "ab"});
    file.list<std::int32_t>("tokenizer.ggml.token_type", 5, {3, 1, 1, 1});
    file.texts("tokenizer.ggml.merges", {"a b"});
    const TemporaryFolder folder;
    write_file(folder / "m.gguf", file.bytes());
    const auto gguf = Gguf::open(folder / "m.gguf");
    const auto made = json::parse(gguf_tokenizer_files(gguf.metadata).at("tokenizer.json"));
    const auto *wanted = find_pre_tokenizer(name), *found = gguf_pre_tokenizer_of(made);
    REQUIRE(found != nullptr);
    CHECK(found->expressions == wanted->expressions);
    CHECK(found->digits_alone == wanted->digits_alone);
    CHECK(found->whole_words == wanted->whole_words);
    CHECK(found->composes == wanted->composes);
    CHECK(found->gpt2 == wanted->gpt2);
  }
  const Written odd(golden("llama3"), 520);
  check_refused("tokenizer.json: llama.cpp does not support its pre-tokenisation", [&] { odd.gguf(); });
  CHECK_FALSE(fs::exists(odd.folder / "m.gguf"));
}

TEST_CASE("BOS is added where this program adds it") {
  auto llama3 = golden("llama3");
  llama3["normalizer"] = nullptr;
  llama3["model"]["ignore_merges"] = true;
  const Written model(llama3, 510, {{"bos_token_id", 0}, {"eos_token_id", 1}});
  model.put("tokenizer_config.json", {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"pad_token", "<|pad|>"}});
  const auto gguf = model.gguf();
  CHECK(gguf.metadata.text("tokenizer.ggml.pre") == "llama-bpe");
  CHECK(gguf.metadata.whole("tokenizer.ggml.bos_token_id") == 0);
  CHECK(gguf.metadata.whole("tokenizer.ggml.eos_token_id") == 1);
  CHECK(gguf.metadata.whole("tokenizer.ggml.padding_token_id") == 501);
  CHECK(gguf.metadata.flag("tokenizer.ggml.add_bos_token") == true);
  const auto made = tokenizer_of(gguf);
  CHECK(made->bos() == 0);
  CHECK(made->eos() == 1);
  check_same_ids(*load_tokenizer(ModelFiles(model.folder / "model")), *made, "llama3");
  model.put("tokenizer_config.json", {{"bos_token", "<s>"}, {"add_bos_token", false}});
  const auto without = model.gguf();
  CHECK(without.metadata.flag("tokenizer.ggml.add_bos_token") == false);
  CHECK(without.metadata.whole("tokenizer.ggml.bos_token_id") == 0);
  CHECK(tokenizer_of(without)->bos() == -1);
}

TEST_CASE("SentencePiece keeps its ids, with added tokens and rows that pad") {
  const Written model;
  model.make(4101);
  // As Hugging Face names those of the pieces too.
  json added = {{"0", {{"content", "<unk>"}, {"special", true}}},
                {"1", {{"content", "<s>"}, {"special", true}}},
                {"2", {{"content", "</s>"}, {"special", true}}},
                {"4096", {{"content", "<|im_end|>"}, {"special", true}}},
                {"4097", {{"content", "\xE2\x96\x81<tool>"}, {"special", false}}},
                {"4098", {{"content", "<|looks special|>"}, {"special", false}}}};
  model.put("tokenizer_config.json",
            {{"added_tokens_decoder", added}, {"unk_token", "<unk>"}, {"chat_template", "{{ messages }}"}});
  model.put("generation_config.json", {{"eos_token_id", {2, 4096}}});
  const auto gguf = model.gguf();
  const auto& metadata = gguf.metadata;
  CHECK(metadata.text("tokenizer.ggml.model") == "llama");
  CHECK(metadata.text("tokenizer.ggml.pre") == "default");
  CHECK(metadata.flag("tokenizer.ggml.add_space_prefix") == true);
  CHECK_FALSE(metadata.has("tokenizer.ggml.remove_extra_whitespaces"));
  CHECK(metadata.text("tokenizer.chat_template") == "{{ messages }}");
  const auto vocabulary = GgufVocabulary::read(metadata);
  REQUIRE(vocabulary.tokens.size() == 4101);
  const Pieces pieces(read_file(model.folder / "model/tokenizer.model"));
  for (std::size_t id = 0; id < 4096; ++id) {
    CHECK(vocabulary.tokens[id] == pieces.tokens[id]);
    if (id > 2) CHECK(vocabulary.scores[id] == pieces.scores[id]);
    CHECK(static_cast<int>(vocabulary.kinds[id]) == pieces.types[id]);
  }
  CHECK(vocabulary.kinds[4096] == TokenKind::control);
  CHECK(vocabulary.tokens[4097] == " <tool>");
  CHECK(vocabulary.kinds[4097] == TokenKind::added);
  CHECK(vocabulary.kinds[4098] == TokenKind::control);
  CHECK(vocabulary.tokens[4099] == "[PAD4099]");
  CHECK(vocabulary.kinds[4100] == TokenKind::unused);
  CHECK(vocabulary.bos == 1);
  CHECK(vocabulary.eos == 2);
  CHECK(vocabulary.unknown == 0);
  CHECK(metadata.whole("tokenizer.ggml.eot_token_id") == 4096);
  CHECK_FALSE(metadata.has("tokenizer.ggml.eom_token_id"));
  const auto before = load_tokenizer(ModelFiles(model.folder / "model")), after = tokenizer_of(gguf);
  CHECK(after->bos() == before->bos());
  CHECK(after->encode("<|im_end|>") == Ids{4096});
  check_same_ids(*before, *after, "llama2");
}

TEST_CASE("pieces of a tokenizer.json become those of SentencePiece") {
  for (const std::string name : {"llama2", "mistral"}) {
    CAPTURE(name);
    const Written trained(golden(name), 640);
    const auto said = refusal_of([&] { trained.gguf(); });
    INFO(said);
    CHECK(said.find("its merges are not those of SentencePiece, which llama.cpp makes: no merge gives") !=
          std::string::npos);
    const Written model(with_all_merges(golden(name)), 640);
    const auto gguf = model.gguf();
    CHECK(gguf.metadata.text("tokenizer.ggml.model") == "llama");
    CHECK(gguf.metadata.flag("tokenizer.ggml.add_space_prefix") == true);
    const auto vocabulary = GgufVocabulary::read(gguf.metadata);
    CHECK(vocabulary.kinds[0] == TokenKind::unknown);
    CHECK(vocabulary.kinds[1] == TokenKind::control);
    CHECK(vocabulary.kinds[3] == TokenKind::byte);
    CHECK(vocabulary.unknown == 0);
    const auto before = load_tokenizer(ModelFiles(model.folder / "model")), after = tokenizer_of(gguf);
    for (const std::string& text : texts_of(name)) {
      if (text.find('<') != std::string::npos || text.starts_with(' ')) continue;
      CAPTURE(text);
      CHECK(after->encode(text) == before->encode(text));
    }
  }
}

TEST_CASE("scores and spaces of pieces are told from the steps of a tokenizer.json") {
  GgufTokens tokens(5);
  const std::vector<std::string> spellings{"a", "b", "c", "ab", "abc"};
  for (std::size_t id = 0; id < 5; ++id) tokens.set(id, spellings[id], TokenKind::normal, 0);
  CHECK_FALSE(give_scores(json::array({{"a", "b"}, {"ab", "c"}}), tokens));
  CHECK(tokens.scores() == std::vector<float>{-2, -2, -2, 0, -1});
  CHECK_FALSE(give_scores(json{"ab c", "a b"}, tokens));
  CHECK(tokens.scores() == std::vector<float>{-2, -2, -2, -1, 0});
  CHECK(give_scores(json{"ab c"}, tokens) == "no merge gives ab from a and b");
  GgufTokens more(6);
  for (std::size_t id = 0; id < 5; ++id) more.set(id, spellings[id], TokenKind::normal, 0);
  more.set(5, "bc", TokenKind::normal, 0);
  CHECK(give_scores(json{"a b", "b c", "ab c"}, more) == "no merge gives abc from a and bc");
  CHECK_FALSE(give_scores(json{"a b", "b c", "ab c", "a bc"}, more));
  CHECK(give_scores(json{"ab c", "a b", "b c", "a bc"}, more) ==
        "the merges that give abc do not stand beside each other");

  const std::string mark = "\xE2\x96\x81";
  const json replace = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", mark}};
  const json prepend = {{"type", "Prepend"}, {"prepend", mark}};
  const auto adds = [&](const json& normalizer, const json& cuts, bool whole_words = false) {
    return adds_space_before_text(
        {{"normalizer", normalizer}, {"pre_tokenizer", cuts}, {"model", {{"ignore_merges", whole_words}}}},
        tokens);
  };
  const auto metaspace = [&](const char* scheme, bool split) {
    return json{{"type", "Metaspace"}, {"replacement", mark}, {"prepend_scheme", scheme}, {"split", split}};
  };
  const json both = {{"type", "Sequence"}, {"normalizers", {prepend, replace}}};
  CHECK(adds(both, nullptr) == true);
  CHECK(adds(replace, nullptr) == false);
  CHECK_FALSE(adds(prepend, nullptr));
  CHECK_FALSE(adds(both, nullptr, true));
  CHECK(adds(nullptr, metaspace("first", false)) == true);
  CHECK(adds(nullptr, metaspace("never", false)) == false);
  CHECK(adds(nullptr, metaspace("always", true)) == true);
  CHECK_FALSE(adds(json{{"type", "NFKC"}}, metaspace("first", false)));
  CHECK_FALSE(adds(replace, json{{"type", "Punctuation"}}));
  tokens.set(2, mark + mark, TokenKind::normal, 0);  // would be cut
  CHECK_FALSE(adds(nullptr, metaspace("always", true)));
  CHECK(adds(nullptr, metaspace("always", false)) == true);
}

TEST_CASE("a tokenizer.model beside a tokenizer.json gives its scores") {
  const Written model;
  model.make(4096);
  const auto gguf = model.gguf();
  GgufVocabulary vocabulary = GgufVocabulary::read(gguf.metadata);
  // The tokenizer.json that Hugging Face makes of it.
  json tokenizer = golden("llama2");
  tokenizer["model"]["vocab"] = json::object();
  std::vector<std::size_t> order;
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    tokenizer["model"]["vocab"][std::string(vocabulary.tokens[id])] = id;
    if (vocabulary.kinds[id] == TokenKind::normal) order.push_back(id);
  }
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t id) { return vocabulary.scores[id]; });
  json first = json::array();
  for (const std::size_t id : order) {
    const auto token = std::string(vocabulary.tokens[id]);
    first.push_back({"", token});  // with_all_merges() looks at the whole
  }
  tokenizer["model"]["merges"] = first;
  tokenizer = with_all_merges(tokenizer);
  const auto without_model = [&] {
    const Written other(tokenizer, 4096);
    const auto made = other.gguf();
    return GgufVocabulary::read(made.metadata).scores;
  }();
  CHECK(without_model != vocabulary.scores);
  model.put("tokenizer.json", tokenizer);
  const auto both = model.gguf("model", "both.gguf");
  const auto scores = GgufVocabulary::read(both.metadata).scores;
  CHECK(std::equal(scores.begin() + 3, scores.end(),
                   vocabulary.scores.begin() + 3));  // behind <unk>, <s>, </s>
  // Where they differ, tokenizer.json decides, as everywhere.
  tokenizer["model"]["vocab"].erase(std::string(vocabulary.tokens[4000]));
  tokenizer["model"]["vocab"]["other"] = 4000;
  json merges = json::array();
  for (const auto& merge : tokenizer["model"]["merges"])
    if (tokenizer["model"]["vocab"].contains(merge[0].get<std::string>() + merge[1].get<std::string>()) &&
        tokenizer["model"]["vocab"].contains(merge[0]) && tokenizer["model"]["vocab"].contains(merge[1]))
      merges.push_back(merge);
  tokenizer["model"]["merges"] = merges;
  model.put("tokenizer.json", tokenizer);
  const auto differing = model.gguf("model", "differing.gguf");
  CHECK(GgufVocabulary::read(differing.metadata).tokens[4000] == "other");
}

TEST_CASE("tokens without a place are refused, and added ones left out") {
  const Written few(golden("gpt2"), 499);
  check_refused("tokenizer.json: token 499 (", [&] { few.gguf(); });
  const Written exact(golden("gpt2"), 501);  // two of three added tokens have no row
  CHECK(exact.gguf().metadata.texts("tokenizer.ggml.tokens")->size() == 501);
  auto twice = golden("gpt2");
  twice["added_tokens"].push_back({{"id", 503},
                                   {"content", "<|end|>"},
                                   {"single_word", false},
                                   {"lstrip", false},
                                   {"rstrip", false},
                                   {"normalized", false},
                                   {"special", true}});
  const Written repeated(twice, 510);
  check_refused("tokens 500 and 503 are both spelled <|end|>, which llama.cpp does not take",
                [&] { repeated.gguf(); });
  for (const auto& [name, sentence] : {std::pair{"unigram", "llama.cpp has no Unigram tokenizer"},
                                       {"unknown", "llama.cpp does not support its pre-tokenisation"}}) {
    const Written other(golden(name), 640);
    check_refused(sentence, [&] { other.gguf(); });
  }
  auto no_bytes = with_all_merges(golden("mistral"));
  json vocabulary = json::object();
  for (const auto& [spelling, id] : no_bytes["model"]["vocab"].items())
    if (!is_byte_piece(spelling)) vocabulary[spelling] = id;
  no_bytes["model"]["vocab"] = vocabulary;
  no_bytes["model"]["byte_fallback"] = false;
  const Written without(no_bytes, 640);
  check_refused("it has 0 of the 256 byte pieces, all of which llama.cpp needs", [&] { without.gguf(); });
}

TEST_CASE("a tokenizer.model that llama.cpp would read otherwise is refused") {
  const Written model;
  model.make(4096);
  const auto file = model.folder / "model/tokenizer.model";
  const auto pieces = read_file(file);
  // A message that follows is merged into the first one.
  write_file(file, pieces + std::string("\x12\x02\x18\x01", 4));
  check_refused("tokenizer.model: its pieces are not those of BPE", [&] { model.gguf(); });
  write_file(file, pieces + std::string("\x1A\x02\x20\x01", 4));
  CHECK(model.gguf().metadata.flag("tokenizer.ggml.remove_extra_whitespaces") == true);
}

TEST_CASE("ends that llama.cpp does not know by their spelling are named") {
  const Written model;
  model.make(4100);
  json added;
  const char* names[] = {"<stop>", "<|eom_id|>", "<|eot_id|>", "<halt>"};
  for (int i = 0; i < 4; ++i) added[std::to_string(4096 + i)] = {{"content", names[i]}, {"special", true}};
  model.put("tokenizer_config.json", {{"added_tokens_decoder", added}});
  const auto ends = [&](const json& ids) {
    model.put("generation_config.json", {{"eos_token_id", ids}});
    const auto gguf = model.gguf();
    return std::pair(gguf.metadata.whole("tokenizer.ggml.eot_token_id").value_or(-1),
                     gguf.metadata.whole("tokenizer.ggml.eom_token_id").value_or(-1));
  };
  CHECK(ends({2}) == std::pair<std::int64_t, std::int64_t>{-1, -1});
  CHECK(ends({2, 4096}) == std::pair<std::int64_t, std::int64_t>{4096, -1});
  CHECK(ends({2, 4097, 4098}) == std::pair<std::int64_t, std::int64_t>{4098, 4097});
  CHECK(ends({2, 4096, 4098}) == std::pair<std::int64_t, std::int64_t>{4098, 4096});
  check_refused("texts end at token 4099 (<halt>) too", [&] { ends({2, 4096, 4098, 4099}); });
}

TEST_CASE("the chat templates are those of the model") {
  const Written model;
  model.make(4096);
  model.put(
      "tokenizer_config.json",
      {{"chat_template",
        {{{"name", "default"}, {"template", "{{ a }}"}}, {{"name", "tool_use"}, {"template", "{{ b }}"}}}}});
  const auto gguf = model.gguf();
  CHECK(gguf.metadata.text("tokenizer.chat_template") == "{{ a }}");
  CHECK(gguf.metadata.text("tokenizer.chat_template.tool_use") == "{{ b }}");
  CHECK(gguf.metadata.texts("tokenizer.chat_templates") == std::vector<std::string_view>{"tool_use"});
  write_file(model.folder / "model/chat_template.jinja", "{{ c }}");
  const auto other = model.gguf("model", "other.gguf");
  CHECK(other.metadata.text("tokenizer.chat_template") == "{{ c }}");
  CHECK_FALSE(other.metadata.has("tokenizer.chat_templates"));
}

TEST_CASE("a GGUF file gives its tokenizer as it is") {
  const TemporaryFolder folder;
  write_pico_model(folder / "model");
  auto file = gguf_of(folder / "model");
  file.text("tokenizer.chat_template", "{{ messages }}");
  file.whole("tokenizer.ggml.fim_pad_token_id", 7);  // of no interest here
  write_file(folder / "m.gguf", file.bytes());
  GgufKeys keys;
  add_gguf_tokenizer_keys(keys, Checkpoint::open(folder / "m.gguf"));
  write_gguf(folder / "copy.gguf", keys, {}, 1, [](const GgufTensorSpec&) {});
  const auto original = Gguf::open(folder / "m.gguf"), copy = Gguf::open(folder / "copy.gguf");
  std::size_t count = 0;
  for (const auto& [key, value] : original.metadata.values()) count += key.starts_with("tokenizer.") ? 1 : 0;
  CHECK(copy.metadata.values().size() == count);
  CHECK(copy.metadata.texts("tokenizer.ggml.tokens") == original.metadata.texts("tokenizer.ggml.tokens"));
  CHECK(copy.metadata.floats("tokenizer.ggml.scores") == original.metadata.floats("tokenizer.ggml.scores"));
  CHECK(copy.metadata.wholes("tokenizer.ggml.token_type") ==
        original.metadata.wholes("tokenizer.ggml.token_type"));
  CHECK(copy.metadata.whole("tokenizer.ggml.fim_pad_token_id") == 7);
  CHECK(copy.metadata.text("tokenizer.chat_template") == "{{ messages }}");
}
