#include "checkpoint/gguf_tokenizer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "checkpoint/gguf_pre_tokenizers.h"
#include "checkpoint/gguf_vocabulary.h"

namespace ladimo {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* use_hugging_face = "Use the checkpoint in the Hugging Face layout.";
constexpr const char *model_key = "tokenizer.ggml.model", *pre_key = "tokenizer.ggml.pre",
                     *merges_key = "tokenizer.ggml.merges", *scores_key = "tokenizer.ggml.scores";

/// Writes protobuf messages, as far as sentencepiece's ModelProto needs it.
class Message {
 public:
  void text(unsigned field, std::string_view value) {
    tag(field, 2);
    varint(value.size());
    bytes_ += value;
  }
  void number(unsigned field, std::uint64_t value) {
    tag(field, 0);
    varint(value);
  }
  void real(unsigned field, float value) {
    tag(field, 5);
    for (const char byte : std::bit_cast<std::array<char, sizeof value>>(value)) bytes_ += byte;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void tag(unsigned field, unsigned type) { varint(field << 3 | type); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

/// The number of a piece's kind in a ModelProto, where tokens that stand in text under their own spelling are
/// control pieces: tokenizer_config.json says where they are found.
std::uint64_t piece_type(TokenKind kind) {
  return static_cast<std::uint64_t>(kind == TokenKind::added ? TokenKind::control : kind);
}

std::string piece_model(const GgufMetadata& metadata, const GgufVocabulary& vocabulary) {
  if (vocabulary.scores.empty()) metadata.refuse(scores_key, "is missing: pieces of text need scores.");
  Message model;
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    Message piece;
    piece.text(1, vocabulary.tokens[id]);
    piece.real(2, vocabulary.scores[id]);
    piece.number(3, piece_type(vocabulary.kinds[id]));
    model.text(1, piece.bytes());
  }
  Message trainer;
  trainer.number(3, 2);  // model_type: BPE
  trainer.number(4, vocabulary.tokens.size());
  const bool has_bytes = std::ranges::find(vocabulary.kinds, TokenKind::byte) != vocabulary.kinds.end();
  trainer.number(35, has_bytes ? 1 : 0);  // byte_fallback
  // Where a special token is not named, sentencepiece takes its own spelling, which then is that of no token.
  for (const auto& [id_field, spelling_field, id] :
       {std::tuple{40U, 45U, vocabulary.unknown}, {41U, 46U, vocabulary.bos}, {42U, 47U, vocabulary.eos}})
    if (id) {
      trainer.number(id_field, static_cast<std::uint64_t>(*id));
      trainer.text(spelling_field, *vocabulary.spelling(id));
    }
  model.text(2, trainer.bytes());
  Message normalizer;
  normalizer.text(1, "identity");
  normalizer.number(3, metadata.flag("tokenizer.ggml.add_space_prefix").value_or(true) ? 1 : 0);
  normalizer.number(4, metadata.flag("tokenizer.ggml.remove_extra_whitespaces").value_or(false) ? 1 : 0);
  normalizer.number(5, 1);  // white space is written as U+2581
  model.text(3, normalizer.bytes());
  return model.bytes();
}

Json added_token(std::int64_t id, std::string_view spelling, bool special) {
  return {{"id", id},        {"content", spelling}, {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", special}};
}

bool stands_in_text(TokenKind kind) { return kind == TokenKind::control || kind == TokenKind::added; }

Json added_tokens(const GgufVocabulary& vocabulary) {
  Json added = Json::array();
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id)
    if (stands_in_text(vocabulary.kinds[id]))
      added.push_back(added_token(static_cast<std::int64_t>(id), vocabulary.tokens[id],
                                  vocabulary.kinds[id] == TokenKind::control));
  return added;
}

Json byte_level(bool prefix, bool cuts) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", prefix}, {"trim_offsets", true}, {"use_regex", cuts}};
}

Json pre_tokenizer(const GgufPreTokenizer& pre) {
  Json steps = Json::array();
  for (const auto expression : pre.expressions)
    steps.push_back({{"type", "Split"},
                     {"pattern", {{"Regex", expression}}},
                     {"behavior", "Isolated"},
                     {"invert", false}});
  if (pre.digits_alone) steps.push_back({{"type", "Digits"}, {"individual_digits", true}});
  steps.push_back(byte_level(false, pre.gpt2));
  if (steps.size() == 1) return steps.front();
  return {{"type", "Sequence"}, {"pretokenizers", steps}};
}

/// Puts BOS before a text.
Json post_processor(const std::string& spelling, std::int64_t id) {
  const Json bos{{"SpecialToken", {{"id", spelling}, {"type_id", 0}}}};
  const auto text = [](const char* name, int type) {
    return Json{{"Sequence", {{"id", name}, {"type_id", type}}}};
  };
  const Json second{{"SpecialToken", {{"id", spelling}, {"type_id", 1}}}};
  return {
      {"type", "TemplateProcessing"},
      {"single", Json::array({bos, text("A", 0)})},
      {"pair", Json::array({bos, text("A", 0), second, text("B", 1)})},
      {"special_tokens",
       {{spelling, {{"id", spelling}, {"ids", Json::array({id})}, {"tokens", Json::array({spelling})}}}}}};
}

Json merges_of(const GgufMetadata& metadata) {
  const auto merges = metadata.texts(merges_key);
  if (!merges) metadata.refuse(merges_key, "is missing.");
  Json pairs = Json::array();
  for (const auto merge : *merges) {
    const auto space = merge.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merge.size())
      metadata.refuse(merges_key, fmt::format("contains \"{}\", which is not a pair of tokens.", merge));
    pairs.push_back(Json::array({merge.substr(0, space), merge.substr(space + 1)}));
  }
  return pairs;
}

std::string byte_level_bpe(const GgufMetadata& metadata, const GgufVocabulary& vocabulary,
                           const GgufPreTokenizer& pre, bool adds_bos) {
  // A list of pairs keeps the order without a search for every token.
  Json::object_t ids;
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id)
    if (vocabulary.kinds[id] != TokenKind::unused)  // rows of the embedding that pad it
      ids.Container::emplace_back(std::string(vocabulary.tokens[id]), id);
  Json json;
  json["version"] = "1.0";
  json["truncation"] = nullptr;
  json["padding"] = nullptr;
  json["added_tokens"] = added_tokens(vocabulary);
  json["normalizer"] = pre.composes ? Json{{"type", "NFC"}} : Json(nullptr);
  json["pre_tokenizer"] = pre_tokenizer(pre);
  json["post_processor"] =
      adds_bos ? post_processor(*vocabulary.spelling(vocabulary.bos), *vocabulary.bos) : Json(nullptr);
  json["decoder"] = byte_level(true, true);
  json["model"] = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", nullptr},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", false},
                   {"byte_fallback", false},
                   {"ignore_merges", pre.whole_words}};
  json["model"]["vocab"] = std::move(ids);
  json["model"]["merges"] = merges_of(metadata);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// What tokenizer_config.json says of both kinds.
Json settings_of(const GgufMetadata& metadata, const GgufVocabulary& vocabulary, bool pieces, bool adds_bos) {
  Json settings;
  // transformers would choose one by the family, which may be another kind.
  settings["tokenizer_class"] = pieces ? "LlamaTokenizer" : "PreTrainedTokenizerFast";
  settings["clean_up_tokenization_spaces"] = false;
  settings["add_bos_token"] = adds_bos;
  const auto name = [&](const char* key, const std::optional<std::int64_t>& id) {
    const auto spelling = vocabulary.spelling(id);
    settings[key] = spelling ? Json(*spelling) : Json(nullptr);
  };
  name("bos_token", vocabulary.bos);
  name("eos_token", vocabulary.eos);
  name("unk_token", vocabulary.unknown);
  name("pad_token", vocabulary.pad);
  const auto chat = metadata.text("tokenizer.chat_template"),
             with_tools = metadata.text("tokenizer.chat_template.tool_use");
  if (chat) settings["chat_template"] = *chat;
  if (chat && with_tools)
    settings["chat_template"] = {{{"name", "default"}, {"template", *chat}},
                                 {{"name", "tool_use"}, {"template", *with_tools}}};
  return settings;
}

const GgufPreTokenizer& pre_of(const GgufMetadata& metadata) {
  const auto name = metadata.text(pre_key).value_or("default");
  const GgufPreTokenizer* pre = find_pre_tokenizer(name);
  if (pre == nullptr)
    metadata.refuse(pre_key, fmt::format("is \"{}\", an unknown pre-tokeniser.", name), use_hugging_face);
  return *pre;
}

}  // namespace

std::map<std::string, std::string> gguf_tokenizer_files(const GgufMetadata& metadata) {
  const auto kind = metadata.text(model_key);
  if (!kind) metadata.refuse(model_key, "is missing: the file contains no tokenizer.");
  if (*kind != "llama" && *kind != "gpt2")
    metadata.refuse(model_key, fmt::format("is \"{}\", an unknown kind of tokenizer.", *kind),
                    "llama and gpt2 are supported.");
  auto vocabulary = GgufVocabulary::read(metadata);
  const bool pieces = *kind == "llama";
  if (pieces) vocabulary.complete_pieces(metadata);
  const GgufPreTokenizer* pre = pieces ? nullptr : &pre_of(metadata);
  const bool usual = pieces || pre->adds_bos;
  const bool adds_bos = vocabulary.bos && metadata.flag("tokenizer.ggml.add_bos_token").value_or(usual);
  Json settings = settings_of(metadata, vocabulary, pieces, adds_bos);
  std::map<std::string, std::string> files;
  if (pieces) {
    Json::object_t added;
    for (Json& token : added_tokens(vocabulary)) {
      auto id = fmt::to_string(token["id"].get<std::int64_t>());
      token.erase("id");
      added.Container::emplace_back(std::move(id), std::move(token));
    }
    settings["added_tokens_decoder"] = std::move(added);
    files["tokenizer.model"] = piece_model(metadata, vocabulary);
  } else {
    files["tokenizer.json"] = byte_level_bpe(metadata, vocabulary, *pre, adds_bos);
  }
  files["tokenizer_config.json"] = settings.dump(2, ' ', false, Json::error_handler_t::replace);
  return files;
}

}  // namespace ladimo
