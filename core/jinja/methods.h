// The methods of texts, lists and dictionaries.
#pragma once

#include <string>
#include <string_view>

#include "jinja/arguments.h"
#include "jinja/value.h"

namespace ladimo::jinja {

/// Whether values of this kind have the method. Throws Failure for one that Python has and this program does
/// not.
bool has_method(const Value& self, std::string_view name);
/// Throws Failure when the arguments do not fit. Precondition: has_method().
Value call_method(const Value& self, const std::string& name, const Arguments& arguments, Budget& budget);

/// `text` with `old` replaced by `fresh`, at most `count` times unless that is negative.
std::string replaced(const std::string& text, const std::string& old, const std::string& fresh,
                     std::int64_t count, Budget& budget);
/// The lines of a text without their ends, where Python's splitlines() ends them.
std::vector<std::string> lines_of(std::string_view text, Budget& budget);
/// The texts of `items` with `separator` between them.
std::string joined(const std::vector<std::string>& items, std::string_view separator, Budget& budget);
/// A dictionary as a list of pairs.
List pairs_of(const Dict& dict, Budget& budget);

}  // namespace ladimo::jinja
