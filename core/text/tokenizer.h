// Text to token ids and back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/model_files.h"
#include "text/model_tokens.h"

namespace ladimo {

class ChatTemplate;

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// The ids of `text`, without BOS or EOS.
  virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;
  /// The text of `ids`, without special tokens. An id that no token has, as padding rows of an embedding do,
  /// prints nothing.
  virtual std::string decode(std::span<const std::int32_t> ids) const = 0;
  /// What cuts the text: "SentencePiece", "byte-level BPE", "BPE", "Unigram".
  virtual std::string kind() const = 0;
  /// Number of pieces.
  virtual std::int64_t size() const = 0;
  virtual std::int32_t bos() const = 0;  // -1: none
  virtual std::int32_t eos() const = 0;  // -1: none
  /// Hash of the files that the tokenizer was loaded from, as far as they decide how text is cut into tokens.
  virtual std::string fingerprint() const = 0;
  /// The spelling of a token in the vocabulary, such as "▁the" or "Ġthe"; empty for an id that no token has.
  virtual std::string spelling(std::int32_t id) const = 0;
  /// The spelling of a token that stands beside the pieces, special or not; empty for a piece.
  virtual std::string added_token(std::int32_t) const { return {}; }
  /// Whether a token is a byte of a run of such tokens, whose whole text may change with every further one.
  virtual bool is_byte(std::int32_t) const { return false; }
  /// Where the files that the tokenizer was loaded from differ from each other or from config.json, and what
  /// follows from it.
  const std::vector<Problem>& warnings() const { return warnings_; }
  void warn(Problem warning) { warnings_.push_back(std::move(warning)); }
  /// What makes text of conversations, for files that hold them. Null: nothing does.
  virtual const ChatTemplate* chat_template() const { return nullptr; }

 protected:
  std::vector<Problem> warnings_;
};

/// Loads the tokenizer of a model: tokenizer.json, as transformers does, or else tokenizer.model. An added
/// token in text becomes its one id if the model has a row for it. Texts begin with a BOS token only where
/// the tokenizer adds one (json_tokenizer.h, sentencepiece_tokenizer.h). A tokenizer.json that cannot be used
/// stands back with a warning where there is a tokenizer.model. Throws Refusal when there is neither, when a
/// file is broken, or when it asks for what is not known here (the message names it).
std::unique_ptr<Tokenizer> load_tokenizer(const ModelFiles& files,
                                          const std::optional<ModelTokens>& model = {});

/// Turns a growing list of ids into text pieces, so that streamed pieces add up to the whole text (spaces,
/// bytes of one character spread over several tokens).
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  /// Begins anew behind ids whose text is known, such as those of a prompt.
  void follow(std::span<const std::int32_t> ids);
  /// The text that `id` adds (empty while a character is incomplete, and in a run of bytes).
  std::string add(std::int32_t id);
  /// What is still held back at the end of the ids: the bytes of a character that never became complete.
  std::string finish();

 private:
  void forget();

  const Tokenizer& tokenizer_;
  std::vector<std::int32_t> ids_;  // the last tokens printed (context), then those whose text is not all out
  std::size_t context_ = 0;        // tokens of `ids_` whose text is out
  std::size_t printed_ = 0;        // bytes of decode(ids_) that are out
  std::size_t held_ = 0;           // tokens since the character began that is not complete
  bool in_run_ = false;            // the last token that prints anything is a byte (Tokenizer::is_byte)
};

}  // namespace ladimo
