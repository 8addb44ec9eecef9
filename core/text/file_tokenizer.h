// What tokenizers have in common that are loaded from the files of a model.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/hash.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "text/tokenizer_settings.h"

namespace ladimo {

/// Added tokens beside pieces, which the derived class knows, BOS, EOS and the chat template.
class FileTokenizer : public Tokenizer {
 public:
  explicit FileTokenizer(const ModelFiles& files) : chat_template_(files) {}

  std::int32_t bos() const override { return bos_; }
  std::int32_t eos() const override { return eos_; }
  std::string fingerprint() const override { return fingerprint_; }
  std::string spelling(std::int32_t id) const override;
  std::string added_token(std::int32_t id) const override;
  const ChatTemplate* chat_template() const override { return &chat_template_; }

 protected:
  /// The spelling of a piece; empty for an id that is none.
  virtual std::string piece(std::int32_t id) const = 0;
  /// The id of the piece that is spelled so; -1 where there is none.
  virtual std::int32_t piece_spelled(const std::string& spelling) const = 0;

  /// The id of the added token or piece that is spelled so; -1 where there is none.
  std::int32_t id_of(const std::string& spelling) const;
  /// Adds all that decides where the tokens are found in text.
  static void add_to_hash(const std::vector<AddedToken>& added, Hasher& hasher);

  std::map<std::int32_t, AddedToken> added_;
  std::int32_t bos_ = -1, eos_ = -1;
  std::string fingerprint_;

 private:
  ChatTemplate chat_template_;
};

}  // namespace ladimo
