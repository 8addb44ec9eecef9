#include "jinja/filters.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "jinja/methods.h"
#include "jinja/operations.h"
#include "jinja/unicode.h"
#include "jinja/writing.h"

namespace ladimo::jinja {
namespace {

using Filter = Value (*)(const Value& value, const Arguments& arguments, Budget& budget);

Value trim(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("trim", {"chars"});
  const Value* set = arguments.find(0, "chars");
  const bool given = set && !set->is_none();
  return std::string(
      strip(printed(value, budget), given ? &arguments.text(0, "chars") : nullptr, true, true));
}

Value default_filter(const Value& value, const Arguments& arguments, Budget&) {
  arguments.fit("default", {"default_value", "boolean"});
  const bool takes_false = arguments.flag(1, "boolean", false);
  if (!value.is_undefined() && !(takes_false && !truth(value))) return value;
  const Value* otherwise = arguments.find(0, "default_value");
  return otherwise ? *otherwise : Value("");
}

Value length_filter(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("length", {});
  if (const auto* text = value.text()) {
    budget.spend(text->size());
    return length(*text);
  }
  if (const List* list = value.list()) return static_cast<std::int64_t>(list->items.size());
  if (const Dict* dict = value.dict()) return static_cast<std::int64_t>(dict->items.size());
  if (value.is_undefined()) return std::int64_t{0};
  throw Failure(fmt::format("{} has no length", type_of(value)));
}

Value string_filter(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("string", {});
  return printed(value, budget);
}

Value same(const Value& value, const Arguments& arguments, Budget&) {
  arguments.fit("safe", {});
  return value;
}

Value upper_filter(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("upper", {});
  return upper(printed(value, budget), "upper");
}
Value lower_filter(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("lower", {});
  return lower(printed(value, budget), "lower");
}
Value capitalize_filter(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("capitalize", {});
  return capitalize(printed(value, budget), "capitalize");
}

/// Unlike the method, the filter begins a word only after white space and a few signs.
Value title_filter(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("title", {});
  std::string text = lower(printed(value, budget), "title");
  bool begins = true;
  for (char& c : text) {
    if (begins && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    begins =
        is_space(static_cast<unsigned char>(c)) || std::string_view("-({[<").find(c) != std::string::npos;
  }
  return text;
}

/// The value at a path of attributes and indices: "function.name", "0".
Value value_at(Value value, std::string_view path, Budget& budget) {
  while (true) {
    const auto end = std::min(path.find('.'), path.size());
    const std::string key(path.substr(0, end));
    std::int64_t index = 0;
    const auto [rest, code] = std::from_chars(key.data(), key.data() + key.size(), index);
    const bool is_index = code == std::errc() && rest == key.data() + key.size();
    value = item_of(value, is_index ? Value(index) : Value(key), budget);
    if (end == path.size()) return value;
    path.remove_prefix(end + 1);
  }
}

Value join(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("join", {"d", "attribute"});
  const Value *separator = arguments.find(0, "d"), *attribute = arguments.find(1, "attribute");
  std::vector<std::string> items;
  for (const Value& item : items_of(value, budget).items)
    items.push_back(
        printed(attribute ? value_at(item, arguments.text(1, "attribute"), budget) : item, budget));
  return joined(items, separator ? printed(*separator, budget) : std::string(), budget);
}

Value replace(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("replace", {"old", "new", "count"});
  const Value* count = arguments.find(2, "count");
  return replaced(printed(value, budget), arguments.text(0, "old"), arguments.text(1, "new"),
                  count && !count->is_none() ? integer_of(*count, "a count") : -1, budget);
}

Value list_filter(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("list", {});
  return items_of(value, budget);
}

Value first(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("first", {});
  const List items = items_of(value, budget);
  return items.items.empty() ? Value(Undefined{"first"}) : items.items.front();
}
Value last(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("last", {});
  const List items = items_of(value, budget);
  return items.items.empty() ? Value(Undefined{"last"}) : items.items.back();
}

Value reverse(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("reverse", {});
  if (value.text()) return slice_of(value, None(), None(), std::int64_t{-1}, budget);
  List items = items_of(value, budget);
  std::ranges::reverse(items.items);
  return items;
}

Value items(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("items", {});
  if (value.is_undefined()) return List();
  if (!value.dict()) throw Failure(fmt::format("{} has no pairs of keys and values", type_of(value)));
  return pairs_of(*value.dict(), budget);
}

/// Sorts by what `key` makes of an item. Letters count as small ones unless `exact`.
template <class Key>
void sort_by(std::vector<Value>& all, bool exact, bool backwards, Budget& budget, Key key) {
  std::vector<std::pair<Value, Value>> keyed;
  for (Value& item : all) {
    Value by = key(item);
    if (by.text() && !exact) by = lower(*by.text(), "sort");
    budget.spend((by.text() ? by.text()->size() : 0) * 8 + 8 * sizeof by);  // it is compared a few times
    keyed.emplace_back(std::move(by), std::move(item));
  }
  // Keys of several types have no order; std::sort() must not meet one that is refused halfway.
  for (const auto& [by, item] : keyed) less(keyed.front().first, by);
  std::ranges::stable_sort(keyed, [&](const auto& a, const auto& b) {
    return backwards ? less(b.first, a.first) : less(a.first, b.first);
  });
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = std::move(keyed[i].second);
}

Value sort(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("sort", {"reverse", "case_sensitive", "attribute"});
  List all = items_of(value, budget);
  const bool by_attribute = arguments.find(2, "attribute") != nullptr;
  sort_by(all.items, arguments.flag(1, "case_sensitive", false), arguments.flag(0, "reverse", false), budget,
          [&](const Value& item) {
            return by_attribute ? value_at(item, arguments.text(2, "attribute"), budget) : item;
          });
  return all;
}

Value dictsort(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("dictsort", {"case_sensitive", "by", "reverse"});
  if (!value.dict()) throw Failure(fmt::format("{} has no pairs of keys and values", type_of(value)));
  const std::string by = arguments.find(1, "by") ? arguments.text(1, "by") : "key";
  if (by != "key" && by != "value") throw Failure("`dictsort` sorts by key or by value");
  List pairs = pairs_of(*value.dict(), budget);
  sort_by(pairs.items, arguments.flag(0, "case_sensitive", false), arguments.flag(2, "reverse", false),
          budget, [&](const Value& pair) { return pair.list()->items[by == "key" ? 0 : 1]; });
  return pairs;
}

Value indent(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("indent", {"width", "first", "blank"});
  const Value* width = arguments.find(0, "width");
  std::string space;
  if (width && width->text()) {
    space = *width->text();
  } else {
    const std::int64_t count = width ? integer_of(*width, "a width") : 4;
    if (count > 1000) throw Failure("an indentation is wider than 1000 spaces");
    space.assign(static_cast<std::size_t>(std::max<std::int64_t>(count, 0)), ' ');
  }
  const bool blank = arguments.flag(2, "blank", false);
  std::vector<std::string> lines = lines_of(printed(value, budget) + "\n", budget);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i == 0 ? !arguments.flag(1, "first", false) : !blank && lines[i].empty()) continue;
    budget.spend(space.size());
    lines[i].insert(0, space);
  }
  return joined(lines, "\n", budget);
}

/// A number that is all of `text` but white space around it; none where there is no such number.
template <class Number>
std::optional<Number> number_in(std::string_view text) {
  text = strip(text, nullptr, true, true);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  Number number{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = !text.empty() && code == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

Value int_filter(const Value& value, const Arguments& arguments, Budget&) {
  arguments.fit("int", {"default"});
  const Value* otherwise = arguments.find(0, "default");
  std::optional<double> number;
  if (value.as<std::int64_t>() || value.as<bool>()) return integer_of(value, "a number");
  if (const auto* text = value.text()) {
    if (const auto whole = number_in<std::int64_t>(*text)) return *whole;
    number = number_in<double>(*text);
  } else if (const double* given = value.as<double>()) {
    number = *given;
  }
  if (!number || !std::isfinite(*number)) return otherwise ? *otherwise : Value(std::int64_t{0});
  if (std::abs(*number) >= 9.2e18) throw Failure("a whole number is out of range");
  return static_cast<std::int64_t>(*number);
}

Value float_filter(const Value& value, const Arguments& arguments, Budget&) {
  arguments.fit("float", {"default"});
  const Value* otherwise = arguments.find(0, "default");
  if (value.is_number()) return number_of(value);
  const auto number = value.text() ? number_in<double>(*value.text()) : std::nullopt;
  return number ? Value(*number) : otherwise ? *otherwise : Value(0.0);
}

Value abs_filter(const Value& value, const Arguments& arguments, Budget&) {
  arguments.fit("abs", {});
  if (!value.is_number()) throw Failure(fmt::format("{} has no size", type_of(value)));
  return number_of(value) < 0 ? negative(value) : value.as<bool>() ? Value(integer_of(value, "")) : value;
}

Value tojson(const Value& value, const Arguments& arguments, Budget& budget) {
  arguments.fit("tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ascii = arguments.flag(0, "ensure_ascii", false);
  style.sorted = arguments.flag(3, "sort_keys", false);
  if (const Value* width = arguments.find(1, "indent"); width && !width->is_none()) {
    const std::int64_t spaces = integer_of(*width, "`indent`");
    if (spaces < 0 || spaces > 100) throw Failure("`indent` of `tojson` must be 0 to 100");
    style.indent = static_cast<int>(spaces);
    style.between = ",";
  }
  if (const Value* given = arguments.find(2, "separators"); given && !given->is_none()) {
    const List* pair = given->list();
    if (!pair || pair->items.size() != 2 || !pair->items[0].text() || !pair->items[1].text())
      throw Failure("`separators` of `tojson` must be two texts");
    style.between = *pair->items[0].text();
    style.after_key = *pair->items[1].text();
  }
  return json_text(value, style, budget);
}

/// The arguments from `place` on.
Arguments from(const Arguments& arguments, std::size_t place) {
  Arguments rest;
  for (std::size_t i = place; i < arguments.values.size(); ++i) rest.values.push_back(arguments.values[i]);
  return rest;
}

/// Whether an item is chosen by the test that the arguments name, or by its truth when they name none.
bool is_chosen(const Value& item, const Arguments& arguments, std::size_t place, Budget& budget) {
  if (place >= arguments.values.size()) return truth(item);
  return passes_test(arguments.text(place, "test"), item, from(arguments, place + 1), budget);
}

/// What a choice or a map goes through. In Jinja, whatever is false holds nothing for them.
List given_items(const Value& value, Budget& budget) {
  return truth(value) ? items_of(value, budget) : List();
}

template <bool by_attribute, bool wanted>
Value choose(const Value& value, const Arguments& arguments, Budget& budget) {
  if (!arguments.named.empty())
    throw Failure(fmt::format("the argument `{}` of a choice is not supported", arguments.named[0].first));
  std::vector<Value> chosen;
  for (const Value& item : given_items(value, budget).items) {
    const Value& tested = by_attribute ? value_at(item, arguments.text(0, "attribute"), budget) : item;
    if (is_chosen(tested, arguments, by_attribute ? 1 : 0, budget) == wanted) chosen.push_back(item);
  }
  return List(std::move(chosen));
}

Value map_filter(const Value& value, const Arguments& arguments, Budget& budget) {
  std::vector<Value> mapped;
  if (arguments.values.empty()) {
    arguments.fit("map", {"attribute", "default"});
    const Value* otherwise = arguments.find(1, "default");
    for (const Value& item : given_items(value, budget).items) {
      mapped.push_back(value_at(item, arguments.text(0, "attribute"), budget));
      if (mapped.back().is_undefined() && otherwise) mapped.back() = *otherwise;
    }
  } else {
    Arguments rest = from(arguments, 1);
    rest.named = arguments.named;
    for (const Value& item : given_items(value, budget).items)
      mapped.push_back(apply_filter(arguments.text(0, "filter"), item, rest, budget));
  }
  return List(std::move(mapped));
}

struct FilterEntry {
  std::string_view name;
  Filter apply;
};
constexpr FilterEntry filters[] = {{"abs", abs_filter},
                                   {"capitalize", capitalize_filter},
                                   {"count", length_filter},
                                   {"d", default_filter},
                                   {"default", default_filter},
                                   {"dictsort", dictsort},
                                   {"first", first},
                                   {"float", float_filter},
                                   {"indent", indent},
                                   {"int", int_filter},
                                   {"items", items},
                                   {"join", join},
                                   {"last", last},
                                   {"length", length_filter},
                                   {"list", list_filter},
                                   {"lower", lower_filter},
                                   {"map", map_filter},
                                   {"reject", choose<false, false>},
                                   {"rejectattr", choose<true, false>},
                                   {"replace", replace},
                                   {"reverse", reverse},
                                   {"safe", same},
                                   {"select", choose<false, true>},
                                   {"selectattr", choose<true, true>},
                                   {"sort", sort},
                                   {"string", string_filter},
                                   {"title", title_filter},
                                   {"tojson", tojson},
                                   {"trim", trim},
                                   {"upper", upper_filter}};

// Tests.

using Test = bool (*)(const Value& value, const Value& other, Budget& budget);
struct TestEntry {
  std::string_view name;
  std::size_t arguments;
  Test passes;
};

bool is_iterable(const Value& value) {
  return value.text() || value.list() || value.dict() || value.is_undefined();
}
bool is_multiple(const Value& value, std::int64_t of) {
  const Value rest = arithmetic("%", value, of, *std::make_unique<Budget>());
  return number_of(rest) == 0;
}

constexpr TestEntry tests[] = {
    {"boolean", 0, [](const Value& v, const Value&, Budget&) { return v.as<bool>() != nullptr; }},
    {"callable", 0, [](const Value& v, const Value&, Budget&) { return v.function() != nullptr; }},
    {"defined", 0, [](const Value& v, const Value&, Budget&) { return !v.is_undefined(); }},
    {"undefined", 0, [](const Value& v, const Value&, Budget&) { return v.is_undefined(); }},
    {"none", 0, [](const Value& v, const Value&, Budget&) { return v.is_none(); }},
    {"true", 0, [](const Value& v, const Value&, Budget&) { return v.as<bool>() && *v.as<bool>(); }},
    {"false", 0, [](const Value& v, const Value&, Budget&) { return v.as<bool>() && !*v.as<bool>(); }},
    {"string", 0, [](const Value& v, const Value&, Budget&) { return v.text() != nullptr; }},
    {"mapping", 0, [](const Value& v, const Value&, Budget&) { return v.dict() != nullptr; }},
    {"number", 0, [](const Value& v, const Value&, Budget&) { return v.is_number(); }},
    {"integer", 0, [](const Value& v, const Value&, Budget&) { return v.as<std::int64_t>() != nullptr; }},
    {"float", 0, [](const Value& v, const Value&, Budget&) { return v.as<double>() != nullptr; }},
    {"iterable", 0, [](const Value& v, const Value&, Budget&) { return is_iterable(v); }},
    {"sequence", 0, [](const Value& v, const Value&, Budget&) { return is_iterable(v); }},
    {"odd", 0, [](const Value& v, const Value&, Budget&) { return !is_multiple(v, 2); }},
    {"even", 0, [](const Value& v, const Value&, Budget&) { return is_multiple(v, 2); }},
    {"divisibleby", 1,
     [](const Value& v, const Value& other, Budget&) {
       return is_multiple(v, integer_of(other, "a divisor"));
     }},
    {"in", 1, [](const Value& v, const Value& other, Budget& budget) { return contains(other, v, budget); }},
    {"equalto", 1,
     [](const Value& v, const Value& other, Budget& budget) { return equal(v, other, budget); }},
    {"eq", 1, [](const Value& v, const Value& other, Budget& budget) { return equal(v, other, budget); }},
    {"==", 1, [](const Value& v, const Value& other, Budget& budget) { return equal(v, other, budget); }},
    {"ne", 1, [](const Value& v, const Value& other, Budget& budget) { return !equal(v, other, budget); }},
    {"!=", 1, [](const Value& v, const Value& other, Budget& budget) { return !equal(v, other, budget); }},
    {"lt", 1, [](const Value& v, const Value& other, Budget&) { return less(v, other); }},
    {"gt", 1, [](const Value& v, const Value& other, Budget&) { return less(other, v); }},
    {"le", 1, [](const Value& v, const Value& other, Budget&) { return !less(other, v); }},
    {"ge", 1, [](const Value& v, const Value& other, Budget&) { return !less(v, other); }},
};

}  // namespace

Value apply_filter(const std::string& name, const Value& value, const Arguments& arguments, Budget& budget) {
  const auto* found = std::ranges::find(filters, name, &FilterEntry::name);
  if (found == std::end(filters))
    throw Failure(fmt::format("the filter `{}` is not supported", name.substr(0, 40)));
  return found->apply(value, arguments, budget);
}

bool passes_test(const std::string& name, const Value& value, const Arguments& arguments, Budget& budget) {
  const auto* found = std::ranges::find(tests, name, &TestEntry::name);
  if (found == std::end(tests))
    throw Failure(fmt::format("the test `{}` is not supported", name.substr(0, 40)));
  if (arguments.values.size() != found->arguments || !arguments.named.empty())
    throw Failure(fmt::format("the test `{}` takes {} arguments", name, found->arguments));
  return found->passes(value, found->arguments > 0 ? arguments.values[0] : Value(None()), budget);
}

}  // namespace ladimo::jinja
