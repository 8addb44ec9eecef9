#include "text/table.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "base/format.h"

namespace ladimo {
namespace {

constexpr std::size_t longest_name = 40;          // bytes of a column's name
constexpr std::ptrdiff_t most_spaces = 3;         // in a column's name
constexpr std::size_t compared_records = 4;       // after the header
constexpr std::string_view separators = "\t;|,";  // a comma may also be a part of a name or a text

std::string_view without_quotes(std::string_view field) {
  const bool quoted = field.size() > 1 && field.front() == '"' && field.back() == '"';
  return quoted ? field.substr(1, field.size() - 2) : field;
}

bool is_name(std::string_view field) {
  return !field.empty() && field.size() <= longest_name && field.front() != ' ' && field.back() != ' ' &&
         field.back() != '.' && field.find('"') == field.npos &&
         std::ranges::count(field, ' ') <= most_spaces;
}

struct Header {
  std::size_t columns = 0;  // 0: the line is no header
  bool names_texts = false;
};

Header read_header(std::string_view line, char separator) {
  Header header;
  for (std::size_t begin = 0; begin <= line.size();) {
    const auto end = std::min(line.find(separator, begin), line.size());
    const auto name = without_quotes(line.substr(begin, end - begin));
    const bool is_index = name.empty() && header.columns == 0 && separator == ',';  // as pandas writes it
    if (!is_name(name) && !is_index) return {};
    const std::string lower = lower_case(name);
    header.names_texts = header.names_texts || lower == "text" || lower == "content";
    ++header.columns;
    begin = end + 1;
  }
  return header;
}

/// Takes one record from the front of `text` and returns the number of its fields. A field in quotes may hold
/// separators and line ends.
std::size_t take_record(std::string_view& text, char separator) {
  std::size_t fields = 1, i = 0;
  bool quoted = false, at_begin = true;
  for (; i < text.size() && (quoted || text[i] != '\n'); ++i) {
    const bool quote = text[i] == '"' && (quoted || at_begin);
    at_begin = !quoted && text[i] == separator;
    if (quote) quoted = !quoted;
    if (at_begin) ++fields;
    // A doubled quote inside a field closes and opens it again.
    if (quote && !quoted && i + 1 < text.size() && text[i + 1] == '"') at_begin = true;
  }
  text.remove_prefix(std::min(i + 1, text.size()));
  return fields;
}

bool has_columns(std::string_view text, std::size_t columns, char separator) {
  std::size_t records = 0;
  for (; records < compared_records && !text.empty(); ++records)
    if (take_record(text, separator) != columns) return false;
  return records > 0;
}

}  // namespace

bool is_table(std::string_view text) {
  const auto line = text.substr(0, text.find_first_of("\r\n"));
  text.remove_prefix(std::min(text.find('\n'), text.size()));
  if (!text.empty()) text.remove_prefix(1);
  return std::ranges::any_of(separators, [&](char separator) {
    const Header header = read_header(line, separator);
    return header.columns > 1 && (header.names_texts || has_columns(text, header.columns, separator));
  });
}

}  // namespace ladimo
