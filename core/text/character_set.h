// Sets of characters in the spelling of PCRE2, by the names that Oniguruma knows.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ladimo {

/// Characters between brackets, and those that one of several patterns matches.
struct Characters {
  std::string items;
  std::vector<std::string> patterns;  // each matches one character

  bool empty() const { return items.empty() && patterns.empty(); }
  void add(const Characters& more);
  /// An expression that matches one of them. Precondition: the set is not empty.
  std::string pattern() const;
  /// All characters that are not in it. Precondition: the set is not empty.
  Characters others() const;
};

/// The characters that all the sets have.
Characters in_common(const std::vector<Characters>& sets);

/// \w between brackets.
inline constexpr std::string_view word = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
/// \w outside brackets, where Oniguruma takes some numbers of Latin-1 for letters too.
inline constexpr std::string_view bare_word =
    "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\u00b2\u00b3\u00b9\u00bc-\u00be";

/// The class that POSIX calls so, such as "alpha"; none for another name.
std::optional<Characters> posix_set(std::string_view name);
/// The property that Unicode or POSIX calls so: a category, a script, "Alphabetic", "Alpha"; none for another
/// name. `letters`: those of \w.
std::optional<Characters> property_set(std::string_view name, std::string_view letters);
/// Whether a set has letters of one case only.
bool has_case(const Characters& set);

/// A character as PCRE2 writes it, inside brackets and outside.
std::string spelled(char32_t character);
/// Whether a character, alone or after `previous`, is another form of several: ß of ss, ﬁ of fi.
bool is_folded_together(char32_t previous, char32_t character);

}  // namespace ladimo
