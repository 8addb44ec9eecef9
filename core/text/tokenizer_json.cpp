#include "text/tokenizer_json.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace ladimo {
namespace {

AddedToken read_added(const JsonFields& json) {
  AddedToken token{json.small("id"),    json.text("content"),     json.flag("special"),   json.flag("lstrip"),
                   json.flag("rstrip"), json.flag("single_word"), json.flag("normalized")};
  if (token.id < 0) json.refuse("id", "is not the id of a token");
  return token;
}

std::vector<AddedToken> read_all_added(const JsonFields& json) {
  std::vector<AddedToken> tokens;
  if (!json.has("added_tokens")) return tokens;
  for (const JsonFields& entry : json.objects("added_tokens"))
    if (auto token = read_added(entry); !token.content.empty()) tokens.push_back(std::move(token));
  std::ranges::stable_sort(tokens, {}, &AddedToken::id);
  return tokens;
}

/// Files of the first versions have no type.
std::string type_of(const JsonFields& model) {
  if (model.has("type")) return model.text("type");
  return model.has("merges") ? "BPE" : "WordPiece";
}

std::unique_ptr<TokenModel> read_model(const JsonFields& model, bool byte_level) {
  const auto type = type_of(model);
  if (type == "BPE") return read_bpe(model, byte_level);
  if (type != "Unigram") model.refuse("type", fmt::format("is {}; only BPE and Unigram are supported", type));
  if (byte_level) model.refuse("type", "is Unigram behind a ByteLevel pre-tokeniser, which is not supported");
  return read_unigram(model);
}

/// The token before {"Sequence": {"id": "A"}} in the template for one text.
std::optional<std::int32_t> first_of_template(const JsonFields& json) {
  std::optional<std::int32_t> first;
  for (const JsonFields& part : json.objects("single")) {
    if (!part.has("SpecialToken")) break;
    const auto name = part.object("SpecialToken").text("id");
    const auto ids = json.object("special_tokens").object(name).integers("ids");
    if (first || ids.size() != 1)
      json.refuse("single", "begins texts with several tokens, which is not supported");
    if (ids.front() < 0 || ids.front() > INT32_MAX)
      json.refuse("special_tokens", "contains what is no token id");
    first = static_cast<std::int32_t>(ids.front());
  }
  return first;
}

std::optional<std::int32_t> first_of(const JsonFields& json) {
  const auto type = json.text("type");
  if (type == "TemplateProcessing") return first_of_template(json);
  if (type == "Sequence") {
    std::optional<std::int32_t> first;
    for (const JsonFields& inner : json.objects("processors"))
      if (const auto found = first_of(inner)) first = found;
    return first;
  }
  // ByteLevel corrects the places of tokens in text, which nobody asks for here.
  if (type != "ByteLevel")
    json.refuse("type", fmt::format("is {}, a post-processor that is not supported", type));
  return std::nullopt;
}

}  // namespace

TokenizerJson read_tokenizer_json(const JsonFields& json) {
  TokenizerJson parts;
  parts.added = read_all_added(json);
  if (json.has("normalizer")) parts.normalizer = Normalizer(json.object("normalizer"));
  if (json.has("pre_tokenizer")) parts.pre_tokenizer = PreTokenizer(json.object("pre_tokenizer"));
  parts.model = read_model(json.object("model"), parts.pre_tokenizer.byte_level());
  if (json.has("decoder")) parts.decoder = TokenDecoder(json.object("decoder"));
  parts.has_post_processor = json.has("post_processor");
  if (parts.has_post_processor) parts.begins_with = first_of(json.object("post_processor"));
  return parts;
}

}  // namespace ladimo
