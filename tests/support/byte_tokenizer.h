// A tokenizer without a file. Every byte is a token, so a test can read what is in a window.
#pragma once

#include "text/tokenizer.h"

namespace ladimo::testing {

class ByteTokenizer final : public Tokenizer {
 public:
  /// An id of -1 means that the token does not exist.
  ByteTokenizer(std::int32_t bos, std::int32_t eos) : bos_(bos), eos_(eos) {}
  std::vector<std::int32_t> encode(std::string_view text) const override {
    return {text.begin(), text.end()};
  }
  std::string decode(std::span<const std::int32_t> ids) const override { return {ids.begin(), ids.end()}; }
  std::string kind() const override { return "bytes"; }
  std::int64_t size() const override { return 256; }
  std::int32_t bos() const override { return bos_; }
  std::int32_t eos() const override { return eos_; }
  std::string fingerprint() const override { return "bytes"; }
  std::string spelling(std::int32_t id) const override { return {static_cast<char>(id)}; }

 private:
  std::int32_t bos_, eos_;
};

}  // namespace ladimo::testing
