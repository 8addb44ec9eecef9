#include "jinja/value.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "jinja/unicode.h"

namespace ladimo::jinja {
namespace {

constexpr int deepest = 64;
constexpr std::size_t item_cost = sizeof(Value);

}  // namespace

void Budget::spend(std::size_t cost) {
  if (cost > left_) throw Failure("it takes too long or makes too much text");
  left_ -= cost;
}

Value::Value(List list) : data_(std::make_shared<const List>(std::move(list))) {}
Value::Value(Dict dict) : data_(std::make_shared<const Dict>(std::move(dict))) {}
Value::Value(Function function) : data_(std::make_shared<const Function>(std::move(function))) {}

int nested(int inner) {
  if (inner >= deepest) throw Failure(fmt::format("a value is nested more than {} levels deep", deepest));
  return inner + 1;
}

int depth_of(const Value& value) {
  if (const List* list = value.list()) return list->depth;
  if (const Dict* dict = value.dict()) return dict->depth;
  if (const Function* function = value.function()) return nested(depth_of(function->self));
  if (const Loop* loop = value.loop()) return nested(depth_of(*loop->items));
  return 0;
}

List::List(std::vector<Value> values, bool is_tuple) : items(std::move(values)), tuple(is_tuple) {
  for (const Value& item : items) depth = std::max(depth, nested(depth_of(item)));
}

const Value* Dict::find(std::string_view key) const {
  const auto found = std::ranges::find(items, key, &std::pair<std::string, Value>::first);
  return found == items.end() ? nullptr : &found->second;
}

void Dict::put(std::string key, Value value) {
  depth = std::max(depth, nested(depth_of(value)));
  const auto found = std::ranges::find(items, key, &std::pair<std::string, Value>::first);
  if (found == items.end())
    items.emplace_back(std::move(key), std::move(value));
  else
    found->second = std::move(value);
}

Value value_of(const nlohmann::ordered_json& json, Budget& budget, int level) {
  budget.spend(item_cost);
  if (json.is_structured()) level = nested(level);
  switch (json.type()) {
    case nlohmann::ordered_json::value_t::boolean:
      return json.get<bool>();
    case nlohmann::ordered_json::value_t::string: {
      const auto& text = json.get_ref<const std::string&>();
      budget.spend(text.size());
      return text;
    }
    case nlohmann::ordered_json::value_t::number_float:
      return json.get<double>();
    case nlohmann::ordered_json::value_t::number_unsigned:
      if (json.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())
        throw Failure("it meets a whole number that is out of range");
      [[fallthrough]];
    case nlohmann::ordered_json::value_t::number_integer:
      return json.get<std::int64_t>();
    case nlohmann::ordered_json::value_t::array: {
      std::vector<Value> items;
      for (const auto& item : json) items.push_back(value_of(item, budget, level));
      return List(std::move(items));
    }
    case nlohmann::ordered_json::value_t::object: {
      Dict dict;  // the parser has removed keys that repeat
      for (const auto& [key, item] : json.items()) {
        budget.spend(key.size());
        Value value = value_of(item, budget, level);
        dict.depth = std::max(dict.depth, nested(depth_of(value)));
        dict.items.emplace_back(key, std::move(value));
      }
      return dict;
    }
    default:
      return None();
  }
}

const char* type_of(const Value& value) {
  if (value.is_undefined()) return "an undefined value";
  if (value.is_none()) return "none";
  if (value.as<bool>()) return "a truth value";
  if (value.as<std::int64_t>()) return "a whole number";
  if (value.as<double>()) return "a number";
  if (value.text()) return "a text";
  if (value.list()) return "a list";
  if (value.dict()) return "a dictionary";
  if (value.space()) return "a namespace";
  return value.loop() ? "a loop" : "a function";
}

bool truth(const Value& value) {
  if (const bool* flag = value.as<bool>()) return *flag;
  if (value.is_number()) return number_of(value) != 0;
  if (const auto* text = value.text()) return !text->empty();
  if (const List* list = value.list()) return !list->items.empty();
  if (const Dict* dict = value.dict()) return !dict->items.empty();
  return !value.is_undefined() && !value.is_none();
}

double number_of(const Value& value) {
  if (const bool* flag = value.as<bool>()) return *flag ? 1 : 0;
  if (const auto* number = value.as<std::int64_t>()) return static_cast<double>(*number);
  return *value.as<double>();
}

std::int64_t integer_of(const Value& value, const char* what) {
  if (const bool* flag = value.as<bool>()) return *flag ? 1 : 0;
  if (const auto* number = value.as<std::int64_t>()) return *number;
  throw Failure(fmt::format("{} must be a whole number, not {}", what, type_of(value)));
}

bool equal(const Value& a, const Value& b, Budget& budget) {
  budget.spend(item_cost);
  if (a.is_number() && b.is_number()) {
    const auto *left = a.as<std::int64_t>(), *right = b.as<std::int64_t>();
    return left && right ? *left == *right : number_of(a) == number_of(b);
  }
  if (a.text() && b.text()) {
    if (a.text()->size() == b.text()->size()) budget.spend(a.text()->size());
    return *a.text() == *b.text();
  }
  if (const List* left = a.list(), *right = b.list(); left && right)
    return left->tuple == right->tuple &&
           std::ranges::equal(left->items, right->items,
                              [&](const Value& x, const Value& y) { return equal(x, y, budget); });
  if (const Dict* left = a.dict(), *right = b.dict(); left && right)
    return left->items.size() == right->items.size() &&
           std::ranges::all_of(left->items, [&](const auto& item) {
             budget.spend(right->items.size());
             const Value* other = right->find(item.first);
             return other && equal(item.second, *other, budget);
           });
  if (a.space() || b.space()) return a.space() == b.space();
  return (a.is_undefined() && b.is_undefined()) || (a.is_none() && b.is_none());
}

bool less(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    const auto *left = a.as<std::int64_t>(), *right = b.as<std::int64_t>();
    return left && right ? *left < *right : number_of(a) < number_of(b);
  }
  if (a.text() && b.text()) return *a.text() < *b.text();  // the order of UTF-8 is that of the characters
  throw Failure(fmt::format("{} and {} have no order", type_of(a), type_of(b)));
}

bool contains(const Value& whole, const Value& part, Budget& budget) {
  if (const auto* text = whole.text()) {
    if (!part.text()) throw Failure(fmt::format("a text cannot hold {}", type_of(part)));
    budget.spend(text->size());
    return text->find(*part.text()) != text->npos;
  }
  if (const Dict* dict = whole.dict()) {
    budget.spend(dict->items.size());
    return part.text() && dict->find(*part.text());
  }
  if (const List* list = whole.list())
    return std::ranges::any_of(list->items, [&](const Value& item) { return equal(item, part, budget); });
  if (whole.is_undefined()) return false;
  throw Failure(fmt::format("{} holds nothing that `in` could find", type_of(whole)));
}

List items_of(const Value& value, Budget& budget) {
  if (const List* list = value.list()) {
    budget.spend(list->items.size() * item_cost);
    return List(list->items);
  }
  std::vector<Value> items;
  if (const Dict* dict = value.dict()) {
    for (const auto& [key, item] : dict->items) {
      budget.spend(item_cost + key.size());
      items.emplace_back(key);
    }
  } else if (const auto* text = value.text()) {
    for (std::size_t at = 0; at < text->size();) {
      const auto length = character_bytes(*text, at);
      budget.spend(item_cost + 64);  // a text of its own
      items.emplace_back(text->substr(at, length));
      at += length;
    }
  } else if (!value.is_undefined()) {
    throw Failure(fmt::format("there is nothing to go through in {}", type_of(value)));
  }
  return List(std::move(items));
}

}  // namespace ladimo::jinja
