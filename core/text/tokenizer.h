// Text to token ids and back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ladimo {

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// The ids of `text`, without BOS or EOS.
  virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;
  /// The text of `ids`, without control tokens. Throws Refusal for invalid ids.
  virtual std::string decode(std::span<const std::int32_t> ids) const = 0;
  /// Number of pieces.
  virtual std::int64_t size() const = 0;
  virtual std::int32_t bos() const = 0;  // -1: none
  virtual std::int32_t eos() const = 0;  // -1: none
  /// Hash of the file that the tokenizer was loaded from. It detects another tokenizer, which would cut the
  /// same text into other tokens.
  virtual std::string fingerprint() const = 0;
};

/// Loads `tokenizer.model` (SentencePiece) from a model folder. Throws Refusal when there is none, when it is
/// broken, or when the folder has only a format that this program does not read (the message names it). The
/// sentencepiece library is opened with dlopen in a namespace of its own (see core/CMakeLists.txt). `bos` is
/// the BOS token of the model's config (-1: texts begin without one). When it is given, it replaces the
/// tokenizer's own.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& model_folder,
                                          std::optional<std::int64_t> bos = {});

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
