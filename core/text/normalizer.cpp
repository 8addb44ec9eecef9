#include "text/normalizer.h"

#include <array>

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/uchar.h>

#include "base/error.h"
#include "base/utf8.h"
#include "text/regex.h"

namespace ladimo {
namespace {

struct Form {
  const char* name;
  const icu::Normalizer2* (*instance)(UErrorCode&);
};
constexpr Form forms[] = {{"NFC", icu::Normalizer2::getNFCInstance},
                          {"NFD", icu::Normalizer2::getNFDInstance},
                          {"NFKC", icu::Normalizer2::getNFKCInstance},
                          {"NFKD", icu::Normalizer2::getNFKDInstance}};

void require(UErrorCode code) {
  if (U_FAILURE(code))
    throw Error(fmt::format("Text cannot be normalised: ICU says {}.", u_errorName(code)),
                "Install ICU's data again.");
}

void normalize(const icu::Normalizer2& form, std::string& text) {
  UErrorCode code = U_ZERO_ERROR;
  if (form.isNormalizedUTF8(text, code)) return;
  std::string normal;
  icu::StringByteSink<std::string> sink(&normal);
  form.normalizeUTF8(0, text, sink, nullptr, code);
  require(code);
  text = std::move(normal);
}

/// Replaces each character by what `map` appends for it.
template <class Map>
void map_characters(std::string& text, Map map) {
  std::string mapped;
  mapped.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character next = utf8_at(text, at);
    map(next.value, mapped);
    at += next.bytes;
  }
  text = std::move(mapped);
}

// As Rust's char::to_lowercase: character by character, so a final sigma is like any other.
void append_lower(char32_t character, std::string& text) {
  constexpr char32_t dotted_i = 0x130, dot_above = 0x307;
  append_utf8(
      character == dotted_i ? U'i' : static_cast<char32_t>(u_tolower(static_cast<UChar32>(character))), text);
  if (character == dotted_i) append_utf8(dot_above, text);
}

bool is_mark(char32_t character) {
  return (U_GET_GC_MASK(static_cast<UChar32>(character)) & U_GC_M_MASK) != 0;
}

void strip(std::string& text, bool left, bool right) {
  std::size_t begin = 0, end = 0;  // of what is kept
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character next = utf8_at(text, at);
    if (!is_white_space(next.value)) {
      if (!inside) begin = at;
      inside = true;
      end = at + next.bytes;
    }
    at += next.bytes;
  }
  if (!inside) begin = text.size();  // all of it is white space
  if (right) text.resize(inside ? end : 0);
  if (left) text.erase(0, std::min(begin, text.size()));
}

std::string escaped(const std::string& text) {
  std::string expression;
  for (const char byte : text) {
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= 'a' && byte <= 'z') || static_cast<unsigned char>(byte) >= 0x80;
    if (!plain) expression += '\\';
    expression += byte;
  }
  return expression;
}

}  // namespace

Regex pattern_from(const JsonFields& json) {
  const auto pattern = json.object("pattern");
  const bool literal = pattern.has("String");
  const auto spelling = pattern.text(literal ? "String" : "Regex");
  if (spelling.empty()) pattern.refuse(literal ? "String" : "Regex", "is empty");
  return Regex(literal ? escaped(spelling) : spelling);
}

Normalizer::Normalizer(const JsonFields& json) { add(json); }

void Normalizer::add(const JsonFields& json) {
  const auto type = json.text("type");
  for (const Form& form : forms)
    if (type == form.name) {
      UErrorCode code = U_ZERO_ERROR;
      const icu::Normalizer2* instance = form.instance(code);
      require(code);
      steps_.push_back([instance](std::string& text) { normalize(*instance, text); });
      return;
    }
  if (type == "Sequence") {
    for (const JsonFields& inner : json.objects("normalizers")) add(inner);
  } else if (type == "Prepend") {
    steps_.push_back([prefix = json.text("prepend")](std::string& text) {
      if (!text.empty()) text.insert(0, prefix);
    });
  } else if (type == "Replace") {
    steps_.push_back([pattern = pattern_from(json), content = json.text("content")](std::string& text) {
      text = pattern.replace(text, content);
    });
  } else if (type == "Lowercase") {
    steps_.push_back([](std::string& text) { map_characters(text, append_lower); });
  } else if (type == "StripAccents") {
    steps_.push_back([](std::string& text) {
      map_characters(text, [](char32_t character, std::string& kept) {
        if (!is_mark(character)) append_utf8(character, kept);
      });
    });
  } else if (type == "Strip") {
    steps_.push_back([left = json.flag("strip_left"), right = json.flag("strip_right")](std::string& text) {
      strip(text, left, right);
    });
  } else {
    json.refuse("type", fmt::format("is {}, a normaliser that is not supported", type));
  }
}

std::string Normalizer::apply(std::string_view text) const {
  std::string normal(text);
  for (const Step& step : steps_) step(normal);
  return normal;
}

}  // namespace ladimo
