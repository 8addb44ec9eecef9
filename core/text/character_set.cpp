#include "text/character_set.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unicode/uchar.h>
#include <unicode/ustring.h>

#include "base/utf8.h"

namespace ladimo {
namespace {

struct Named {
  std::string_view name, items;
};
constexpr Named posix_classes[] = {{"alnum", "\\p{Alphabetic}\\p{Nd}"},
                                   {"alpha", "\\p{Alphabetic}"},
                                   {"ascii", "\\x{0}-\\x{7f}"},
                                   {"blank", "\\p{Zs}\\t"},
                                   {"cntrl", "\\p{Cc}"},
                                   {"digit", "\\p{Nd}"},
                                   {"graph", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}"},
                                   {"lower", "\\p{Lowercase}"},
                                   {"print", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Zs}\\p{Cf}\\p{Co}"},
                                   {"punct", "\\p{P}\\p{S}"},
                                   {"space", "\\p{White_Space}"},
                                   {"upper", "\\p{Uppercase}"},
                                   {"word", word},
                                   {"xdigit", "0-9A-Fa-f"}};

/// What Unicode calls a property, as PCRE2 calls it; nothing where it is none.
std::optional<std::string> unicode_property(const std::string& name) {
  if (const auto mask = u_getPropertyValueEnum(UCHAR_GENERAL_CATEGORY_MASK, name.c_str());
      mask != UCHAR_INVALID_CODE) {
    const std::string known =
        u_getPropertyValueName(UCHAR_GENERAL_CATEGORY_MASK, mask, U_SHORT_PROPERTY_NAME);
    return known == "LC" ? "L&" : known;
  }
  // Without sc, PCRE2 takes the characters that a script uses, and not those that are its own.
  if (const auto script = u_getPropertyValueEnum(UCHAR_SCRIPT, name.c_str()); script != UCHAR_INVALID_CODE)
    return fmt::format("sc:{}", u_getPropertyValueName(UCHAR_SCRIPT, script, U_LONG_PROPERTY_NAME));
  const auto property = u_getPropertyEnum(name.c_str());
  if (property < UCHAR_BINARY_START || property >= UCHAR_BINARY_LIMIT) return std::nullopt;
  return u_getPropertyName(property, U_LONG_PROPERTY_NAME);
}

}  // namespace

void Characters::add(const Characters& more) {
  items += more.items;
  patterns.insert(patterns.end(), more.patterns.begin(), more.patterns.end());
}

std::string Characters::pattern() const {
  auto all = patterns;
  if (!items.empty()) all.insert(all.begin(), fmt::format("[{}]", items));
  return all.size() == 1 ? all.front() : fmt::format("(?:{})", fmt::join(all, "|"));
}

Characters Characters::others() const {
  if (!patterns.empty()) return {{}, {fmt::format("(?:(?!{})(?s:.))", pattern())}};
  // What one property leaves out has a spelling that can stand beside others.
  if (items.starts_with("\\p{") && items.find('}') + 1 == items.size()) return {"\\P" + items.substr(2), {}};
  return {{}, {fmt::format("[^{}]", items)}};
}

Characters in_common(const std::vector<Characters>& sets) {
  if (sets.size() == 1) return sets.front();
  std::string pattern;
  for (const Characters& set : sets)
    pattern += &set == &sets.back() ? set.pattern() : fmt::format("(?={})", set.pattern());
  return {{}, {fmt::format("(?:{})", pattern)}};
}

std::optional<Characters> posix_set(std::string_view name) {
  const auto* found = std::ranges::find(posix_classes, name, &Named::name);
  if (found == std::end(posix_classes)) return std::nullopt;
  return Characters{std::string(found->items), {}};
}

std::optional<Characters> property_set(std::string_view name, std::string_view letters) {
  std::string plain;
  for (const char c : name)
    if (c != ' ' && c != '_' && c != '-') plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  if (plain == "word") return Characters{std::string(letters), {}};
  if (plain == "any") return Characters{"\\p{Any}", {}};
  if (plain == "assigned") return Characters{"\\P{Cn}", {}};
  if (plain == "posixpunct")
    plain = "punct";
  else if (plain == "punct")
    plain = "p";  // the property has no signs; the class of POSIX has
  if (auto posix = posix_set(plain)) return posix;
  const auto property = unicode_property(plain);
  if (!property) return std::nullopt;
  return Characters{fmt::format("\\p{{{}}}", *property), {}};
}

bool has_case(const Characters& set) {
  return std::ranges::any_of(std::array{"{Lu}", "{Ll}", "{Lt}", "{Uppercase}", "{Lowercase}"},
                             [&](const char* name) { return set.items.find(name) != set.items.npos; });
}

std::string spelled(char32_t character) {
  const bool plain = (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
                     (character >= '0' && character <= '9');
  if (plain) return {static_cast<char>(character)};
  return fmt::format("\\x{{{:x}}}", static_cast<std::uint32_t>(character));
}

bool is_folded_together(char32_t previous, char32_t character) {
  const auto first = u_foldCase(static_cast<UChar32>(previous), U_FOLD_CASE_DEFAULT);
  const auto second = u_foldCase(static_cast<UChar32>(character), U_FOLD_CASE_DEFAULT);
  if (first == 's' && (second == 's' || second == 't')) return true;
  if (first == 'f' && (second == 'f' || second == 'i' || second == 'l')) return true;
  // Where the full form is longer than the simple one, it has several characters.
  std::array<UChar, 2> source{};
  std::array<UChar, 8> folded{};
  std::int32_t size = 0;
  U16_APPEND_UNSAFE(source.data(), size, static_cast<UChar32>(character));
  UErrorCode code = U_ZERO_ERROR;
  return u_strFoldCase(folded.data(), static_cast<std::int32_t>(folded.size()), source.data(), size,
                       U_FOLD_CASE_DEFAULT, &code) > size;
}

}  // namespace ladimo
