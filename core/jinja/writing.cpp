#include "jinja/writing.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "jinja/unicode.h"

namespace ladimo::jinja {
namespace {

/// The shortest digits that give the number again, laid out as Python does: an exponent below 1e-4 and from
/// 1e16.
std::string float_text(double number, const char* infinity, const char* not_a_number) {
  if (std::isnan(number)) return not_a_number;
  if (std::isinf(number)) return (number < 0 ? "-" : "") + std::string(infinity);
  char buffer[64];
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific);
  std::string_view text(buffer, static_cast<std::size_t>(written.ptr - buffer));
  const std::string sign = text.front() == '-' ? "-" : "";
  if (!sign.empty()) text.remove_prefix(1);
  const auto e = text.find('e');
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  const bool below_one = text[e + 1] == '-';
  int exponent = 0;
  std::from_chars(text.data() + e + 2, text.data() + text.size(), exponent);
  if (below_one) exponent = -exponent;
  if (exponent < -4 || exponent >= 16)
    return fmt::format("{}{}{}{}e{}{:02}", sign, digits[0], digits.size() > 1 ? "." : "", digits.substr(1),
                       below_one ? '-' : '+', std::abs(exponent));
  if (exponent < 0) return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

/// Whether Python prints the character as it is inside a list. The few above U+3000 that it escapes besides
/// private ones are not assigned or nobody writes them.
bool is_printable(char32_t c) {
  if (c == ' ') return true;
  if (is_space(c) || c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD) return false;
  return !((c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
           c == 0xFEFF || (c >= 0xE000 && c <= 0xF8FF) || c >= 0xE0000);
}

class Writer {
 public:
  explicit Writer(Budget& budget) : budget_(budget) {}

  void add(std::string_view text) {
    budget_.spend(text.size() + 1);
    out_ += text;
  }
  std::string take() && { return std::move(out_); }

  // repr() of Python, which it uses for what is inside a list or a dictionary.
  void add_repr(const Value& value) {
    if (const auto* text = value.text()) {
      add_quoted(*text);
    } else if (const List* list = value.list()) {
      add(list->tuple ? "(" : "[");
      for (std::size_t i = 0; i < list->items.size(); ++i) {
        if (i > 0) add(", ");
        add_repr(list->items[i]);
      }
      if (list->tuple && list->items.size() == 1) add(",");
      add(list->tuple ? ")" : "]");
    } else if (const Dict* dict = value.dict()) {
      add("{");
      bool first = true;
      for (const auto& [key, item] : dict->items) {
        if (!first) add(", ");
        first = false;
        add_quoted(key);
        add(": ");
        add_repr(item);
      }
      add("}");
    } else if (value.is_undefined()) {
      add("Undefined");
    } else {
      add_scalar(value);
    }
  }

  void add_scalar(const Value& value) {
    if (value.is_undefined()) return;
    if (value.is_none()) return add("None");
    if (const bool* flag = value.as<bool>()) return add(*flag ? "True" : "False");
    if (const auto* number = value.as<std::int64_t>()) return add(fmt::format("{}", *number));
    if (const double* number = value.as<double>()) return add(float_text(*number, "inf", "nan"));
    throw Failure(fmt::format("{} is no text that could be printed", type_of(value)));
  }

  void add_json(const Value& value, const JsonStyle& style, int level) {
    if (const auto* text = value.text()) {
      add_json_text(*text, style.ascii);
    } else if (const List* list = value.list()) {
      if (list->items.empty()) return add("[]");
      add("[");
      for (std::size_t i = 0; i < list->items.size(); ++i) {
        begin_item(style, i == 0, level + 1);
        add_json(list->items[i], style, level + 1);
      }
      end_items(style, level);
      add("]");
    } else if (const Dict* dict = value.dict()) {
      if (dict->items.empty()) return add("{}");
      std::vector<const std::pair<std::string, Value>*> items;
      for (const auto& item : dict->items) items.push_back(&item);
      if (style.sorted)
        std::ranges::sort(
            items, {}, [](const auto* item) -> auto& { return item->first; });
      add("{");
      for (std::size_t i = 0; i < items.size(); ++i) {
        begin_item(style, i == 0, level + 1);
        add_json_text(items[i]->first, style.ascii);
        add(style.after_key);
        add_json(items[i]->second, style, level + 1);
      }
      end_items(style, level);
      add("}");
    } else if (value.is_none()) {
      add("null");
    } else if (const bool* flag = value.as<bool>()) {
      add(*flag ? "true" : "false");
    } else if (const auto* whole = value.as<std::int64_t>()) {
      add(fmt::format("{}", *whole));
    } else if (const double* number = value.as<double>()) {
      add(float_text(*number, "Infinity", "NaN"));
    } else {
      throw Failure(fmt::format("{} has no JSON", type_of(value)));
    }
  }

 private:
  void begin_item(const JsonStyle& style, bool first, int level) {
    if (!first) add(style.between);
    new_line(style, level);
  }
  void end_items(const JsonStyle& style, int level) { new_line(style, level); }
  void new_line(const JsonStyle& style, int level) {
    if (style.indent) add("\n" + std::string(static_cast<std::size_t>(*style.indent * level), ' '));
  }

  void add_quoted(std::string_view text) {
    const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
    add(std::string(1, quote));
    for (const std::string_view character : characters(text)) {
      const char32_t c = first_character(character);
      if (c == '\n')
        add("\\n");
      else if (c == '\r')
        add("\\r");
      else if (c == '\t')
        add("\\t");
      else if (c == '\\' || c == static_cast<char32_t>(quote))
        add("\\" + std::string(character));
      else if (is_printable(c))
        add(character);
      else if (c < 0x100)
        add(fmt::format("\\x{:02x}", static_cast<unsigned>(c)));
      else if (c < 0x10000)
        add(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
      else
        add(fmt::format("\\U{:08x}", static_cast<unsigned>(c)));
    }
    add(std::string(1, quote));
  }

  void add_json_text(std::string_view text, bool ascii) {
    add("\"");
    for (const std::string_view character : characters(text)) {
      const char32_t c = first_character(character);
      if (c == '"' || c == '\\')
        add("\\" + std::string(character));
      else if (c == '\n')
        add("\\n");
      else if (c == '\r')
        add("\\r");
      else if (c == '\t')
        add("\\t");
      else if (c == '\b')
        add("\\b");
      else if (c == '\f')
        add("\\f");
      else if (c < 0x20 || (ascii && c >= 0x7F && c < 0x10000))
        add(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
      else if (ascii && c >= 0x10000)
        add(fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + static_cast<unsigned>((c - 0x10000) >> 10),
                        0xDC00 + static_cast<unsigned>((c - 0x10000) & 0x3FF)));
      else
        add(character);
    }
    add("\"");
  }

  Budget& budget_;
  std::string out_;
};

}  // namespace

std::string printed(const Value& value, Budget& budget) {
  if (const auto* text = value.text()) {
    budget.spend(text->size());
    return *text;
  }
  Writer writer(budget);
  if (value.list() || value.dict())
    writer.add_repr(value);
  else
    writer.add_scalar(value);
  return std::move(writer).take();
}

std::string json_text(const Value& value, const JsonStyle& style, Budget& budget) {
  Writer writer(budget);
  writer.add_json(value, style, 0);
  return std::move(writer).take();
}

}  // namespace ladimo::jinja
