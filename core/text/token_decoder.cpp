#include "text/token_decoder.h"

#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/utf8.h"
#include "text/byte_alphabet.h"
#include "text/normalizer.h"
#include "text/regex.h"

namespace ladimo {
namespace {

using Tokens = std::vector<std::string>;

void decode_byte_level(Tokens& tokens) {
  std::string bytes;
  for (const std::string& token : tokens) bytes += bytes_spelled(token).value_or(token);
  tokens = {with_replacements(bytes)};
}

/// The byte that a token such as <0x0A> stands for.
std::optional<char> byte_of(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) return std::nullopt;
  unsigned value = 0;
  const auto [end, code] = std::from_chars(token.data() + 3, token.data() + 5, value, 16);
  if (code != std::errc() || end != token.data() + 5) return std::nullopt;
  return static_cast<char>(value);
}

void decode_byte_fallback(Tokens& tokens) {
  Tokens decoded;
  std::string bytes;
  const auto flush = [&] {
    if (bytes.empty()) return;
    if (!find_invalid_utf8(bytes))
      decoded.push_back(bytes);
    else
      decoded.insert(decoded.end(), bytes.size(), "\xEF\xBF\xBD");
    bytes.clear();
  };
  for (std::string& token : tokens) {
    if (const auto byte = byte_of(token)) {
      bytes += *byte;
      continue;
    }
    flush();
    decoded.push_back(std::move(token));
  }
  flush();
  tokens = std::move(decoded);
}

void strip(std::string& token, const std::string& content, int start, int stop) {
  for (int i = 0; i < start && token.starts_with(content); ++i) token.erase(0, content.size());
  for (int i = 0; i < stop && token.ends_with(content); ++i) token.resize(token.size() - content.size());
}

void replace_mark(std::string& token, const std::string& mark, const std::string& content) {
  for (std::size_t at = 0; (at = token.find(mark, at)) != std::string::npos; at += content.size())
    token.replace(at, mark.size(), content);
}

}  // namespace

TokenDecoder::TokenDecoder(const JsonFields& json) { add(json); }

void TokenDecoder::add(const JsonFields& json) {
  const auto type = json.text("type");
  if (type == "Sequence") {
    for (const JsonFields& inner : json.objects("decoders")) add(inner);
  } else if (type == "ByteLevel") {
    steps_.push_back(decode_byte_level);
  } else if (type == "ByteFallback") {
    steps_.push_back(decode_byte_fallback);
    byte_fallback_ = true;
  } else if (type == "Fuse") {
    steps_.push_back([](Tokens& tokens) { tokens = {fmt::format("{}", fmt::join(tokens, ""))}; });
  } else if (type == "Replace") {
    steps_.push_back([pattern = pattern_from(json), content = json.text("content")](Tokens& tokens) {
      for (std::string& token : tokens) token = pattern.replace(token, content);
    });
  } else if (type == "Strip") {
    const auto content = json.text("content");
    if (content.empty()) json.refuse("content", "is empty");
    steps_.push_back([content, start = json.small("start"), stop = json.small("stop")](Tokens& tokens) {
      for (std::string& token : tokens) strip(token, content, start, stop);
    });
  } else if (type == "Metaspace") {
    const auto mark = json.text("replacement");
    if (mark.empty()) json.refuse("replacement", "is empty");
    const bool keeps_first = json.has("prepend_scheme")     ? json.text("prepend_scheme") == "never"
                             : json.has("add_prefix_space") ? !json.flag("add_prefix_space")
                                                            : false;
    steps_.push_back([mark, keeps_first](Tokens& tokens) {
      for (std::size_t i = 0; i < tokens.size(); ++i)
        replace_mark(tokens[i], mark, i == 0 && !keeps_first ? "" : " ");
    });
  } else {
    json.refuse("type", fmt::format("is {}, a decoder that is not supported", type));
  }
}

bool TokenDecoder::is_byte(std::string_view token) const { return byte_fallback_ && byte_of(token); }

std::string TokenDecoder::decode(Tokens tokens) const {
  for (const Step& step : steps_) step(tokens);
  return fmt::format("{}", fmt::join(tokens, steps_.empty() ? " " : ""));
}

}  // namespace ladimo
