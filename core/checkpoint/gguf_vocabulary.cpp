#include "checkpoint/gguf_vocabulary.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

namespace ladimo {
namespace {

constexpr const char *tokens_key = "tokenizer.ggml.tokens", *kinds_key = "tokenizer.ggml.token_type",
                     *scores_key = "tokenizer.ggml.scores";

/// In llama-vocab.cpp of llama.cpp: those that keep special_eog_ids.
constexpr std::string_view ends[] = {
    "<|eot_id|>",    "<|im_end|>",    "<|end|>", "<|return|>",      "<|call|>",
    "<end_of_turn>", "<|endoftext|>", "</s>",    "<|eom_id|>",      "<EOT>",
    "_<EOT>",        "[EOT]",         "[EOS]",   "<|end_of_text|>", "<end_of_utterance>",
    "<eos>"};

void check_tokens(const GgufMetadata& metadata, const std::vector<std::string_view>& tokens) {
  std::unordered_set<std::string_view> known;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].empty()) metadata.refuse(tokens_key, fmt::format("spells token {} as nothing.", id));
    if (!known.insert(tokens[id]).second)
      metadata.refuse(tokens_key, fmt::format("contains token {} ({}) twice.", id, tokens[id]));
  }
}

void check_count(const GgufMetadata& metadata, const char* key, std::size_t count, std::size_t tokens) {
  if (count != tokens) metadata.refuse(key, fmt::format("has {} entries for {} tokens.", count, tokens));
}

std::vector<TokenKind> read_kinds(const GgufMetadata& metadata, std::size_t tokens) {
  const auto found = metadata.wholes(kinds_key);
  if (!found) return std::vector<TokenKind>(tokens, TokenKind::normal);
  check_count(metadata, kinds_key, found->size(), tokens);
  std::vector<TokenKind> kinds;
  for (const std::int64_t kind : *found) {
    if (kind < static_cast<int>(TokenKind::normal) || kind > static_cast<int>(TokenKind::byte))
      metadata.refuse(kinds_key, fmt::format("contains {}, an unknown kind of token.", kind));
    kinds.push_back(static_cast<TokenKind>(kind));
  }
  return kinds;
}

/// Refuses bytes of pieces that are spelled otherwise than <0x0A>, and a part of the 256.
void check_bytes(const GgufMetadata& metadata, const GgufVocabulary& vocabulary) {
  const auto bytes = std::ranges::count(vocabulary.kinds, TokenKind::byte);
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.kinds[id] != TokenKind::byte) continue;
    const auto token = vocabulary.tokens[id];
    const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
    if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>' || !is_digit(token[3]) ||
        !is_digit(token[4]))
      metadata.refuse(
          kinds_key,
          fmt::format("says that token {} ({}) is a byte, which are spelled like <0x0A>.", id, token));
  }
  if (bytes != 0 && bytes != 256)
    metadata.refuse(kinds_key, fmt::format("names {} of the 256 bytes.", bytes));
}

}  // namespace

void GgufVocabulary::complete_pieces(const GgufMetadata& metadata) {
  check_bytes(metadata, *this);
  const auto first = std::ranges::find(kinds, TokenKind::unknown);
  if (!unknown && first != kinds.end()) unknown = first - kinds.begin();
  const auto assume = [&](std::optional<std::int64_t>& id, std::int64_t usual) {
    if (!id && usual < static_cast<std::int64_t>(tokens.size())) id = usual;
  };
  assume(unknown, 0);
  assume(bos, 1);
  assume(eos, 2);
  for (const auto& id : {bos, eos})
    if (id) kinds[static_cast<std::size_t>(*id)] = TokenKind::control;
  if (unknown) kinds[static_cast<std::size_t>(*unknown)] = TokenKind::unknown;
  for (std::size_t id = 0; id < kinds.size(); ++id)
    if (kinds[id] == TokenKind::unknown && static_cast<std::int64_t>(id) != *unknown)
      metadata.refuse(
          kinds_key, fmt::format("says that tokens {} and {} both stand for what is unknown.", *unknown, id));
}

GgufVocabulary GgufVocabulary::read(const GgufMetadata& metadata) {
  GgufVocabulary vocabulary;
  auto tokens = metadata.texts(tokens_key);
  if (!tokens || tokens->empty()) metadata.refuse(tokens_key, "is missing: the file contains no vocabulary.");
  vocabulary.tokens = std::move(*tokens);
  const std::size_t count = vocabulary.tokens.size();
  check_tokens(metadata, vocabulary.tokens);
  vocabulary.kinds = read_kinds(metadata, count);
  vocabulary.scores = metadata.floats(scores_key).value_or(std::vector<float>());
  if (!vocabulary.scores.empty()) check_count(metadata, scores_key, vocabulary.scores.size(), count);
  const auto id = [&](const char* key) {
    const auto found = metadata.whole(key);
    if (found && *found >= static_cast<std::int64_t>(count))
      metadata.refuse(key, fmt::format("is {}, but there are {} tokens.", *found, count));
    return found;
  };
  vocabulary.bos = id("tokenizer.ggml.bos_token_id");
  vocabulary.eos = id("tokenizer.ggml.eos_token_id");
  vocabulary.unknown = id("tokenizer.ggml.unknown_token_id");
  vocabulary.pad = id("tokenizer.ggml.padding_token_id");
  return vocabulary;
}

std::optional<std::string> GgufVocabulary::spelling(const std::optional<std::int64_t>& id) const {
  if (!id) return std::nullopt;
  return std::string(tokens[static_cast<std::size_t>(*id)]);
}

bool is_spelled_as_end(std::string_view token) { return std::ranges::find(ends, token) != std::end(ends); }

std::vector<std::int64_t> tokens_spelled_as_ends(const GgufMetadata& metadata) {
  const auto tokens = metadata.texts(tokens_key);
  const auto kinds = metadata.wholes(kinds_key);
  std::vector<std::int64_t> found;
  if (!tokens || !kinds || tokens->size() != kinds->size()) return found;
  for (std::size_t id = 0; id < tokens->size(); ++id)
    if ((*kinds)[id] == static_cast<int>(TokenKind::control) && is_spelled_as_end((*tokens)[id]))
      found.push_back(static_cast<std::int64_t>(id));
  return found;
}

}  // namespace ladimo
