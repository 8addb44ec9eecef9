#include "jinja/methods.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "jinja/unicode.h"

namespace ladimo::jinja {
namespace {

constexpr std::size_t item_cost = 64;  // of a text in a list

Value part(std::string_view text, Budget& budget) {
  budget.spend(text.size() + item_cost);
  return std::string(text);
}

using Method = Value (*)(const Value& self, const Arguments& arguments, Budget& budget);
struct Entry {
  std::string_view name;
  Method call;
};

const std::string& text_of(const Value& self) { return *self.text(); }

template <bool left, bool right>
Value strip_method(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("strip", {"chars"});
  const Value* set = arguments.find(0, "chars");
  const bool given = set && !set->is_none();
  return part(strip(text_of(self), given ? &arguments.text(0, "chars") : nullptr, left, right), budget);
}

/// Whether the text begins or ends with the argument, or with one of several.
template <class Matches>
bool any_matches(const char* name, const Arguments& arguments, Matches matches) {
  arguments.fit(name, {"prefix"});
  const Value* given = arguments.find(0, "prefix");
  if (given == nullptr || given->list() == nullptr) return matches(arguments.text(0, "prefix"));
  return std::ranges::any_of(given->list()->items, [&](const Value& item) {
    if (!item.text()) throw Failure(fmt::format("`{}` takes texts, not {}", name, type_of(item)));
    return matches(*item.text());
  });
}

Value starts_with(const Value& self, const Arguments& arguments, Budget&) {
  return any_matches("startswith", arguments, [&](const auto& x) { return text_of(self).starts_with(x); });
}
Value ends_with(const Value& self, const Arguments& arguments, Budget&) {
  return any_matches("endswith", arguments, [&](const auto& x) { return text_of(self).ends_with(x); });
}

Value remove_prefix(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("removeprefix", {"prefix"});
  std::string_view text = text_of(self);
  if (text.starts_with(arguments.text(0, "prefix"))) text.remove_prefix(arguments.text(0, "prefix").size());
  return part(text, budget);
}
Value remove_suffix(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("removesuffix", {"suffix"});
  std::string_view text = text_of(self);
  if (text.ends_with(arguments.text(0, "suffix"))) text.remove_suffix(arguments.text(0, "suffix").size());
  return part(text, budget);
}

using Change = std::string (*)(std::string_view text, const char* filter);
template <Change change>
Value changed(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("this method", {});
  budget.spend(text_of(self).size());
  return change(text_of(self), "letter case");
}

std::int64_t count_argument(const Arguments& arguments, std::size_t place, std::string_view name) {
  const Value* count = arguments.find(place, name);
  return count ? integer_of(*count, "a count") : -1;
}

std::vector<Value> split_at_space(std::string_view text, std::int64_t most, Budget& budget) {
  std::vector<Value> parts;
  text = strip(text, nullptr, true, false);
  while (!text.empty()) {
    if (most >= 0 && static_cast<std::int64_t>(parts.size()) >= most) {
      parts.push_back(part(strip(text, nullptr, false, true), budget));
      break;
    }
    std::size_t end = 0;
    while (end < text.size() && !is_space(first_character(text.substr(end))))
      end += character_bytes(text, end);
    parts.push_back(part(text.substr(0, end), budget));
    text = strip(text.substr(end), nullptr, true, false);
  }
  return parts;
}

Value split(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("split", {"sep", "maxsplit"});
  const std::int64_t most = count_argument(arguments, 1, "maxsplit");
  const Value* separator = arguments.find(0, "sep");
  std::string_view text = text_of(self);
  if (separator == nullptr || separator->is_none()) return List(split_at_space(text, most, budget));
  const std::string& at = arguments.text(0, "sep");
  if (at.empty()) throw Failure("`split` is given an empty separator");
  std::vector<Value> parts;
  for (auto end = text.find(at);
       end != text.npos && (most < 0 || static_cast<std::int64_t>(parts.size()) < most);
       end = text.find(at)) {
    parts.push_back(part(text.substr(0, end), budget));
    text.remove_prefix(end + at.size());
  }
  parts.push_back(part(text, budget));
  return List(std::move(parts));
}

Value split_from_right(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("rsplit", {"sep", "maxsplit"});
  const std::string& at = arguments.text(0, "sep");
  if (at.empty()) throw Failure("`rsplit` is given an empty separator");
  const std::int64_t most = count_argument(arguments, 1, "maxsplit");
  std::vector<Value> parts;
  std::string_view text = text_of(self);
  for (auto begin = text.rfind(at);
       begin != text.npos && (most < 0 || static_cast<std::int64_t>(parts.size()) < most);
       begin = text.rfind(at)) {
    parts.push_back(part(text.substr(begin + at.size()), budget));
    text = text.substr(0, begin);
  }
  parts.push_back(part(text, budget));
  std::ranges::reverse(parts);
  return List(std::move(parts));
}

Value split_lines(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("splitlines", {});
  std::vector<Value> lines;
  for (std::string& line : lines_of(text_of(self), budget)) lines.emplace_back(std::move(line));
  return List(std::move(lines));
}

Value replace(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("replace", {"old", "new", "count"});
  return replaced(text_of(self), arguments.text(0, "old"), arguments.text(1, "new"),
                  count_argument(arguments, 2, "count"), budget);
}

template <bool from_left>
Value find_in(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("find", {"sub"});
  const std::string& text = text_of(self);
  budget.spend(text.size());
  const auto found = from_left ? text.find(arguments.text(0, "sub")) : text.rfind(arguments.text(0, "sub"));
  return found == text.npos ? std::int64_t{-1} : length(std::string_view(text).substr(0, found));
}

Value count_in(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("count", {"sub"});
  const std::string &text = text_of(self), &sought = arguments.text(0, "sub");
  if (sought.empty()) throw Failure("`count` is given an empty text");
  budget.spend(text.size());
  std::int64_t count = 0;
  for (auto at = text.find(sought); at != text.npos; at = text.find(sought, at + sought.size())) ++count;
  return count;
}

Value join(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("join", {"iterable"});
  const Value* given = arguments.find(0, "iterable");
  if (given == nullptr) throw Failure("`join` is given nothing");
  std::vector<std::string> items;
  for (const Value& item : items_of(*given, budget).items) {
    if (!item.text()) throw Failure(fmt::format("`join` takes texts, not {}", type_of(item)));
    budget.spend(item.text()->size());
    items.push_back(*item.text());
  }
  return joined(items, text_of(self), budget);
}

Value is_digits(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("isdigit", {});
  const std::string& text = text_of(self);
  budget.spend(text.size());
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80)
      throw Failure("`isdigit` of characters beyond ASCII is not supported");
    if (c < '0' || c > '9') return false;
  }
  return !text.empty();
}

Value get(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("get", {"key", "default"});
  budget.spend(self.dict()->items.size());
  const Value *key = arguments.find(0, "key"), *otherwise = arguments.find(1, "default");
  if (key == nullptr) throw Failure("`get` is given no key");
  const Value* found = key->text() ? self.dict()->find(*key->text()) : nullptr;
  return found ? *found : otherwise ? *otherwise : Value(None());
}

Value items(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("items", {});
  return pairs_of(*self.dict(), budget);
}
Value keys(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("keys", {});
  return items_of(self, budget);
}
Value values(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("values", {});
  std::vector<Value> all;
  for (const auto& [key, value] : self.dict()->items) all.push_back(value);
  budget.spend(all.size() * sizeof(Value));
  return List(std::move(all));
}

Value index_in(const Value& self, const Arguments& arguments, Budget& budget) {
  arguments.fit("index", {"value"});
  const auto& all = self.list()->items;
  const Value* sought = arguments.find(0, "value");
  if (sought == nullptr) throw Failure("`index` is given no value");
  const auto found = std::ranges::find_if(all, [&](const Value& x) { return equal(x, *sought, budget); });
  if (found == all.end()) throw Failure("`index` does not find the value");
  return static_cast<std::int64_t>(found - all.begin());
}

constexpr Entry text_methods[] = {{"strip", strip_method<true, true>},
                                  {"lstrip", strip_method<true, false>},
                                  {"rstrip", strip_method<false, true>},
                                  {"split", split},
                                  {"rsplit", split_from_right},
                                  {"splitlines", split_lines},
                                  {"startswith", starts_with},
                                  {"endswith", ends_with},
                                  {"removeprefix", remove_prefix},
                                  {"removesuffix", remove_suffix},
                                  {"upper", changed<upper>},
                                  {"lower", changed<lower>},
                                  {"title", changed<title>},
                                  {"capitalize", changed<capitalize>},
                                  {"replace", replace},
                                  {"find", find_in<true>},
                                  {"rfind", find_in<false>},
                                  {"count", count_in},
                                  {"join", join},
                                  {"isdigit", is_digits}};
constexpr Entry dict_methods[] = {{"get", get}, {"items", items}, {"keys", keys}, {"values", values}};
constexpr Entry list_methods[] = {{"index", index_in}};

// What Python has besides. Without these names, a method that is not supported would seem to be absent.
constexpr std::string_view other_text_methods[] = {
    "casefold",  "center",      "encode",     "expandtabs", "format",       "format_map", "index",
    "isalnum",   "isalpha",     "isascii",    "isdecimal",  "isidentifier", "islower",    "isnumeric",
    "isspace",   "isprintable", "istitle",    "isupper",    "ljust",        "maketrans",  "rindex",
    "partition", "rjust",       "rpartition", "translate",  "swapcase",     "zfill"};
constexpr std::string_view other_dict_methods[] = {"clear",   "copy",       "fromkeys", "pop",
                                                   "popitem", "setdefault", "update"};
constexpr std::string_view other_list_methods[] = {"append", "clear", "copy",   "count",   "extend",
                                                   "insert", "pop",   "remove", "reverse", "sort"};

template <std::size_t count, std::size_t others>
const Entry* find_entry(const Entry (&table)[count], const std::string_view (&other)[others],
                        std::string_view name) {
  if (std::ranges::find(other, name) != std::end(other))
    throw Failure(fmt::format("the method `{}` is not supported", name));
  const auto* found = std::ranges::find(table, name, &Entry::name);
  return found == std::end(table) ? nullptr : found;
}

const Entry* find_method(const Value& self, std::string_view name) {
  if (self.text()) return find_entry(text_methods, other_text_methods, name);
  if (self.dict()) return find_entry(dict_methods, other_dict_methods, name);
  if (self.list()) return find_entry(list_methods, other_list_methods, name);
  return nullptr;
}

bool ends_line(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

}  // namespace

bool has_method(const Value& self, std::string_view name) { return find_method(self, name) != nullptr; }

Value call_method(const Value& self, const std::string& name, const Arguments& arguments, Budget& budget) {
  return find_method(self, name)->call(self, arguments, budget);
}

std::string replaced(const std::string& text, const std::string& old, const std::string& fresh,
                     std::int64_t count, Budget& budget) {
  if (old.empty()) throw Failure("replacing an empty text is not supported");
  budget.spend(text.size());
  std::string result;
  std::size_t at = 0;
  for (auto found = text.find(old); found != text.npos && count != 0; found = text.find(old, at), --count) {
    budget.spend(fresh.size());
    result.append(text, at, found - at).append(fresh);
    at = found + old.size();
  }
  return result.append(text, at);
}

std::vector<std::string> lines_of(std::string_view text, Budget& budget) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::size_t end = 0;
    while (end < text.size() && !ends_line(first_character(text.substr(end))))
      end += character_bytes(text, end);
    budget.spend(end + item_cost);
    lines.emplace_back(text.substr(0, end));
    if (end == text.size()) break;
    const bool two = text.substr(end).starts_with("\r\n");
    text.remove_prefix(end + (two ? 2 : character_bytes(text, end)));
  }
  return lines;
}

std::string joined(const std::vector<std::string>& items, std::string_view separator, Budget& budget) {
  std::string all;
  for (std::size_t i = 0; i < items.size(); ++i) {
    budget.spend(items[i].size() + separator.size());
    if (i > 0) all += separator;
    all += items[i];
  }
  return all;
}

List pairs_of(const Dict& dict, Budget& budget) {
  std::vector<Value> pairs;
  for (const auto& [key, value] : dict.items) {
    budget.spend(key.size() + item_cost + 4 * sizeof(Value));
    pairs.emplace_back(List({Value(key), value}, true));
  }
  return List(std::move(pairs));
}

}  // namespace ladimo::jinja
