// Text to token ids and back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/model_files.h"

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
  /// Number of pieces.
  virtual std::int64_t size() const = 0;
  virtual std::int32_t bos() const = 0;  // -1: none
  virtual std::int32_t eos() const = 0;  // -1: none
  /// Hash of the files that the tokenizer was loaded from, as far as they decide how text is cut into tokens.
  virtual std::string fingerprint() const = 0;
  /// The spelling of a token that stands beside the pieces, special or not; empty for a piece.
  virtual std::string added_token(std::int32_t) const { return {}; }
  /// Where the files that the tokenizer was loaded from differ from each other or from config.json, and what
  /// follows from it.
  virtual std::vector<Problem> warnings() const { return {}; }
  /// What makes text of conversations, for files that hold them. Null: nothing does.
  virtual const ChatTemplate* chat_template() const { return nullptr; }
};

/// What config.json and generation_config.json say about tokens.
struct ModelTokens {
  std::int64_t count = 0;         // rows of the embedding
  std::int64_t bos = -1;          // -1: none
  std::vector<std::int64_t> eos;  // a text ends at any of them
};

/// Loads `tokenizer.model` (SentencePiece) of a model folder with the added tokens of the JSON files beside
/// it (tokenizer_settings.h). An added token in text becomes its one id if the model has a row for it. Texts
/// begin with the BOS token of the tokenizer, as in transformers 5. They begin without one when add_bos_token
/// is false, when the tokenizer has none, or when config.json names none (null) and add_bos_token does not
/// ask for it. Throws Refusal when there is no tokenizer.model, when a file is broken, or when the folder has
/// only a format that this program does not read (the message names it).
std::unique_ptr<Tokenizer> load_tokenizer(const ModelFiles& files,
                                          const std::optional<ModelTokens>& model = {});

/// Turns a growing list of ids into text pieces, so that streamed pieces add up to the whole text (spaces,
/// bytes of one character spread over several tokens).
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  /// The text that `id` adds (empty while a character is incomplete).
  std::string add(std::int32_t id);
  /// What is still held back at the end of the ids: the bytes of a character that never became complete.
  std::string finish();

 private:
  void forget();

  const Tokenizer& tokenizer_;
  std::vector<std::int32_t> ids_;  // the last tokens printed (context), then those held back
  std::size_t context_ = 0;        // tokens of `ids_` whose text is out
  std::size_t printed_ = 0;        // bytes of decode(ids_) that are out
};

}  // namespace ladimo
