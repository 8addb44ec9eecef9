#include "transfer/gguf_tokenizer_keys.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json_fields.h"
#include "checkpoint/gguf.h"
#include "text/chat_template.h"
#include "text/piece_list.h"
#include "text/tokenizer.h"
#include "text/tokenizer_settings.h"
#include "transfer/gguf_tokens.h"

namespace ladimo {
namespace {

using Json = nlohmann::json;

constexpr const char *json_file = "tokenizer.json", *model_file = "tokenizer.model";
constexpr const char* odd_cuts =
    "llama.cpp does not support its pre-tokenisation (normalizer, pre_tokenizer, ignore_merges).";

/// Ends of a turn that llama.cpp knows by their spelling. Where a model has several ends, one of these is
/// what it calls EOT.
constexpr std::string_view turn_ends[] = {"<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>"};
constexpr std::string_view message_end = "<|eom_id|>";

/// Adds the keys of a model that is a folder.
class TokenizerKeys {
 public:
  TokenizerKeys(GgufKeys& keys, const Checkpoint& checkpoint)
      : keys_(keys),
        files_(checkpoint.files()),
        config_(checkpoint.config()),
        tokenizer_(load_tokenizer(files_, ModelTokens{config_.vocab_size, config_.bos, config_.eos})),
        tokens_(static_cast<std::size_t>(config_.vocab_size)) {}

  void add() {
    const std::string kind = tokenizer_->kind();
    if (kind == "byte-level BPE")
      add_byte_level();
    else if (kind == "SentencePiece" || (kind == "BPE" && is_in_model_file()))
      add_pieces();
    else if (kind == "BPE")
      add_pieces_of_json();
    else
      refuse(json_file, fmt::format("llama.cpp has no {} tokenizer for models of this kind.", kind));
    add_special();
    add_chat_template();
  }

 private:
  [[noreturn]] void refuse(const char* file, const std::string& what) const {
    throw Refusal(fmt::format("{}: {}", file, what), "Choose another format with {format}.",
                  files_.path(file));
  }

  /// Sets all tokens. `kind_of(id, spelling)` and `score_of(id)` are asked for those of the vocabulary.
  template <class KindOf, class ScoreOf>
  void set_tokens(const char* file, KindOf kind_of, ScoreOf score_of) {
    for (auto id = static_cast<std::int32_t>(tokens_.size()); id < tokenizer_->size(); ++id)
      if (!tokenizer_->spelling(id).empty() && tokenizer_->added_token(id).empty())
        refuse(file, fmt::format("token {} ({}) has no row in the embedding, which has {}.", id,
                                 tokenizer_->spelling(id), tokens_.size()));
    for (std::size_t at = 0; at < tokens_.size(); ++at) {
      const auto id = static_cast<std::int32_t>(at);
      const auto spelling = tokenizer_->spelling(id);
      if (spelling.empty()) continue;
      const TokenKind kind = kind_of(at, spelling);
      if (tokenizer_->added_token(id).empty() || kind == TokenKind::unknown)
        tokens_.set(at, spelling, kind, score_of(at));
      else
        tokens_.set_added(at, spelling, tokenizer_->decode({&id, 1}).empty());
    }
    tokens_.name_unused();
    if (const auto repeat = tokens_.repeat())
      refuse(file, fmt::format("tokens {} and {} are both spelled {}, which llama.cpp does not take.",
                               repeat->first, repeat->second, tokens_.spelling(repeat->second)));
  }

  void add_tokens(std::string_view model, std::string_view pre) {
    keys_.text("tokenizer.ggml.model", model);
    keys_.text("tokenizer.ggml.pre", pre);
    keys_.texts("tokenizer.ggml.tokens", tokens_.spellings());
    keys_.i32s("tokenizer.ggml.token_type", tokens_.kinds());
  }

  void add_byte_level() {
    const Json json = files_.read_json(json_file);
    const auto* pre = gguf_pre_tokenizer_of(json);
    if (pre == nullptr) refuse(json_file, odd_cuts);
    const auto kind_of = [](std::size_t, const std::string&) { return TokenKind::normal; };
    set_tokens(json_file, kind_of, [](std::size_t) { return 0.0F; });
    add_tokens("gpt2", pre->name);
    std::vector<std::string> merges;
    for (const Json& merge : json.at("model").at("merges")) merges.push_back(merge_text(merge));
    keys_.texts("tokenizer.ggml.merges", merges);
  }

  /// "left right". The byte alphabet has no space.
  std::string merge_text(const Json& merge) const {
    if (merge.is_string()) return merge.get<std::string>();
    const auto &left = merge[0].get_ref<const std::string&>(),
               &right = merge[1].get_ref<const std::string&>();
    if (left.find(' ') != left.npos || right.find(' ') != right.npos)
      refuse(json_file, fmt::format("the merge of \"{}\" and \"{}\" has a space in it.", left, right));
    return left + " " + right;
  }

  PieceList piece_list() const {
    return naming_file(files_.path(model_file), [&] { return PieceList::read(files_.read(model_file)); });
  }

  /// Whether a tokenizer.model has the same BPE pieces as tokenizer.json. Then it has their scores.
  bool is_in_model_file() const {
    if (!files_.has(model_file)) return false;
    const auto list = piece_list();
    const auto count = static_cast<std::int32_t>(list.pieces.size());
    bool same = list.model == PieceList::Model::bpe;
    for (std::int32_t id = 0; same && id < count; ++id)
      same = tokenizer_->spelling(id) == list.pieces[static_cast<std::size_t>(id)].spelling;
    for (std::int32_t id = count; same && id < tokenizer_->size(); ++id)
      same = tokenizer_->spelling(id).empty() || !tokenizer_->added_token(id).empty();
    return same;
  }

  void add_pieces() {
    const PieceList list = piece_list();
    if (list.model != PieceList::Model::bpe)
      refuse(model_file, "its pieces are not those of BPE, the only ones that llama.cpp cuts text by.");
    if (list.changes_characters)
      refuse(model_file, "it changes characters of the text first, which llama.cpp does not.");
    const auto kind_of = [&](std::size_t id, const std::string&) {
      return id < list.pieces.size() ? static_cast<TokenKind>(list.pieces[id].kind) : TokenKind::normal;
    };
    set_tokens(model_file, kind_of, [&](std::size_t id) { return list.pieces[id].score; });
    add_piece_tokens(model_file, list.adds_space);
    if (list.removes_spaces) keys_.flag("tokenizer.ggml.remove_extra_whitespaces", true);
  }

  void add_pieces_of_json() {
    const Json json = files_.read_json(json_file);
    const Json& model = json.at("model");
    const Json unknown = model.value("unk_token", Json());
    const auto kind_of = [&](std::size_t, const std::string& spelling) {
      if (unknown == spelling) return TokenKind::unknown;
      return is_byte_piece(spelling) ? TokenKind::byte : TokenKind::normal;
    };
    set_tokens(json_file, kind_of, [](std::size_t) { return 0.0F; });
    const auto adds_space = adds_space_before_text(json, tokens_);
    if (!adds_space) refuse(json_file, odd_cuts);
    if (const auto what = give_scores(model.at("merges"), tokens_))
      refuse(json_file,
             fmt::format("its merges are not those of SentencePiece, which llama.cpp makes: {}.", *what));
    add_piece_tokens(json_file, *adds_space);
  }

  void add_piece_tokens(const char* file, bool adds_space) {
    if (const auto bytes = tokens_.count(TokenKind::byte); bytes != 256)
      refuse(file, fmt::format("it has {} of the 256 byte pieces, all of which llama.cpp needs.", bytes));
    add_tokens("llama", "default");
    keys_.f32s("tokenizer.ggml.scores", tokens_.scores());
    keys_.flag("tokenizer.ggml.add_space_prefix", adds_space);
  }

  // The tokens with a meaning.

  bool is_token(std::int64_t id) const { return id >= 0 && id < static_cast<std::int64_t>(tokens_.size()); }

  void add_id(const char* name, std::int64_t id) {
    if (is_token(id))
      keys_.u32(fmt::format("tokenizer.ggml.{}_token_id", name), static_cast<std::uint32_t>(id));
  }

  void add_special() {
    const auto named = read_tokenizer_settings(files_).special;
    const auto id_of = [&](const char* key, std::int64_t otherwise) {
      const auto spelling = named.find(key);
      const auto id = spelling == named.end() ? std::nullopt : tokens_.find(spelling->second);
      return id ? static_cast<std::int64_t>(*id) : otherwise;
    };
    const bool begins = tokenizer_->bos() >= 0;
    const std::int64_t eos = tokenizer_->eos() >= 0 ? tokenizer_->eos()
                             : config_.eos.empty()  ? -1
                                                    : config_.eos.front();
    const auto unknown = tokens_.first(TokenKind::unknown);
    add_id("bos", begins ? tokenizer_->bos() : id_of("bos_token", config_.bos));
    add_id("eos", eos);
    add_id("unknown", unknown ? static_cast<std::int64_t>(*unknown) : id_of("unk_token", -1));
    add_id("padding", id_of("pad_token", -1));
    add_ends(eos);
    keys_.flag("tokenizer.ggml.add_bos_token", begins);
  }

  /// The ends beside EOS.
  void add_ends(std::int64_t eos) {
    std::optional<std::int64_t> of_turn, of_message;
    std::vector<std::int64_t> unknown;  // to llama.cpp, unless the file names them
    for (const std::int64_t end : config_.eos) {
      if (end == eos || !is_token(end)) continue;
      const auto at = static_cast<std::size_t>(end);
      const auto& spelling = tokens_.spelling(at);
      if (spelling == message_end)
        of_message = end;
      else if (!of_turn && std::ranges::find(turn_ends, spelling) != std::end(turn_ends))
        of_turn = end;
      else if (tokens_.kind(at) != TokenKind::control || !is_spelled_as_end(spelling))
        unknown.push_back(end);
    }
    for (const std::int64_t end : unknown) {
      if (of_turn && of_message)
        refuse("generation_config.json",
               fmt::format("texts end at token {} ({}) too, which GGUF has no key for.", end,
                           tokens_.spelling(static_cast<std::size_t>(end))));
      (of_turn ? of_message : of_turn) = end;
    }
    add_id("eot", of_turn.value_or(-1));
    add_id("eom", of_message.value_or(-1));
  }

  void add_chat_template() {
    const auto texts = chat_template_texts(files_);
    if (texts.usual) keys_.text("tokenizer.chat_template", *texts.usual);
    if (!texts.with_tools) return;
    const std::vector<std::string> names{"tool_use"};
    keys_.texts("tokenizer.chat_templates", names);
    keys_.text("tokenizer.chat_template.tool_use", *texts.with_tools);
  }

  GgufKeys& keys_;
  const ModelFiles& files_;
  const ModelConfig& config_;
  std::unique_ptr<Tokenizer> tokenizer_;
  GgufTokens tokens_;
};

void copy_tokenizer_keys(GgufKeys& keys, const Checkpoint& checkpoint) {
  const auto gguf = Gguf::open(checkpoint.path());
  for (const auto& [key, value] : gguf.metadata.values())
    if (key.starts_with("tokenizer.")) keys.copy(key, value);
}

}  // namespace

void add_gguf_tokenizer_keys(GgufKeys& keys, const Checkpoint& checkpoint) {
  if (checkpoint.format() == FileFormat::gguf)
    copy_tokenizer_keys(keys, checkpoint);
  else
    TokenizerKeys(keys, checkpoint).add();
}

}  // namespace ladimo
