// Regular expressions in the spelling of Oniguruma, as PCRE2 spells them.
#pragma once

#include <string>
#include <string_view>

namespace ladimo {

/// An expression that means to PCRE2 (UTF, UCP, MULTILINE) what `expression` means to Oniguruma with its own
/// syntax, which Hugging Face tokenizers use. The differences that matter: \w has combining marks, \h is a
/// hexadecimal digit, (?m) lets a dot match line ends, {n,m}+ is a repeated group, classes hold classes and
/// intersections. Throws Refusal without a path that names what has no equal in PCRE2.
std::string pcre2_spelling(std::string_view expression);

}  // namespace ladimo
