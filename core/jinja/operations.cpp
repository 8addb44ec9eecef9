#include "jinja/operations.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "jinja/methods.h"
#include "jinja/unicode.h"

namespace ladimo::jinja {
namespace {

void refuse_undefined(const Value& value) {
  if (const auto* undefined = value.as<Undefined>())
    throw Failure(fmt::format("`{}` is not defined", undefined->name));
}

[[noreturn]] void refuse_types(std::string_view sign, const Value& a, const Value& b) {
  refuse_undefined(a);
  refuse_undefined(b);
  throw Failure(fmt::format("`{}` does not go with {} and {}", sign, type_of(a), type_of(b)));
}

std::int64_t whole(std::string_view sign, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool over = false;
  if (sign == "+") {
    over = __builtin_add_overflow(a, b, &result);
  } else if (sign == "-") {
    over = __builtin_sub_overflow(a, b, &result);
  } else if (sign == "*") {
    over = __builtin_mul_overflow(a, b, &result);
  } else if (b == -1) {  // the quotient of the least number is out of range
    over = sign == "//" && __builtin_sub_overflow(std::int64_t{0}, a, &result);
  } else {
    const bool to_lower = a % b != 0 && (a < 0) != (b < 0);  // Python rounds down
    result = sign == "//" ? a / b - (to_lower ? 1 : 0) : a % b + (to_lower ? b : 0);
  }
  if (over) throw Failure("a whole number is out of range");
  return result;
}

double real(std::string_view sign, double a, double b) {
  if (sign == "+") return a + b;
  if (sign == "-") return a - b;
  if (sign == "*") return a * b;
  if (sign == "/") return a / b;
  if (sign == "//") return std::floor(a / b);
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Value numbers(std::string_view sign, const Value& a, const Value& b) {
  const bool divides = sign == "/" || sign == "//" || sign == "%";
  if (divides && number_of(b) == 0) throw Failure("it divides by zero");
  const bool whole_numbers = !a.as<double>() && !b.as<double>();
  if (whole_numbers && sign != "/") return whole(sign, integer_of(a, "a"), integer_of(b, "b"));
  return real(sign, number_of(a), number_of(b));
}

Value repeated(const Value& thing, const Value& count, Budget& budget) {
  const auto times = static_cast<std::size_t>(std::max<std::int64_t>(integer_of(count, "a count"), 0));
  if (const auto* text = thing.text()) {
    budget.spend(product(times, text->size()));
    std::string all;
    for (std::size_t i = 0; i < times && !text->empty(); ++i) all += *text;
    return all;
  }
  const auto& items = thing.list()->items;
  budget.spend(product(times, items.size() * sizeof(Value)));
  std::vector<Value> all;
  for (std::size_t i = 0; i < times && !items.empty(); ++i) all.insert(all.end(), items.begin(), items.end());
  return List(std::move(all));
}

/// The variable `loop`.
Value loop_attribute(const Loop& loop, const std::string& name) {
  const auto& items = loop.items->list()->items;
  const auto count = static_cast<std::int64_t>(items.size());
  const auto at = [&](std::int64_t i) {
    return i >= 0 && i < count ? items[static_cast<std::size_t>(i)] : Value(Undefined{name});
  };
  if (name == "index") return loop.index + 1;
  if (name == "index0") return loop.index;
  if (name == "revindex") return count - loop.index;
  if (name == "revindex0") return count - loop.index - 1;
  if (name == "first") return loop.index == 0;
  if (name == "last") return loop.index + 1 == count;
  if (name == "length") return count;
  if (name == "previtem") return at(loop.index - 1);
  if (name == "nextitem") return at(loop.index + 1);
  if (name == "depth" || name == "depth0") return std::int64_t{name == "depth" ? 1 : 0};
  throw Failure(fmt::format("`loop.{}` is not supported", name.substr(0, 40)));
}

/// The place of an item counted from the end if negative; -1 when there is none.
std::int64_t place_of(std::int64_t index, std::int64_t count) {
  if (index < -count || index >= count) return -1;
  return index < 0 ? index + count : index;
}

Value item_at(const Value& value, std::int64_t index, const Value& absent, Budget& budget) {
  if (const List* list = value.list()) {
    const auto at = place_of(index, static_cast<std::int64_t>(list->items.size()));
    return at < 0 ? absent : list->items[static_cast<std::size_t>(at)];
  }
  const std::string_view text = *value.text();
  budget.spend(text.size());
  const auto all = characters(text);
  const auto at = place_of(index, static_cast<std::int64_t>(all.size()));
  return at < 0 ? absent : Value(std::string(all[static_cast<std::size_t>(at)]));
}

/// The indices that [first:last:step] of `count` items names.
std::vector<std::size_t> slice_indices(std::int64_t count, const Value& first, const Value& last,
                                       std::int64_t step) {
  const std::int64_t least = step > 0 ? 0 : -1, most = step > 0 ? count : count - 1;
  const auto bound = [&](const Value& given, std::int64_t otherwise) {
    if (given.is_none()) return otherwise;
    const std::int64_t index = integer_of(given, "a bound");
    if (index >= 0) return std::min(index, most);
    return std::max(index < -count ? least : index + count, least);
  };
  const std::int64_t begin = bound(first, step > 0 ? least : most),
                     end = bound(last, step > 0 ? most : least);
  std::vector<std::size_t> indices;
  // Beyond the count, a step of any size does the same, and the sum below cannot overflow.
  const std::int64_t stride = std::clamp(step, -count - 1, count + 1);
  for (std::int64_t i = begin; stride > 0 ? i < end : i > end; i += stride)
    indices.push_back(static_cast<std::size_t>(i));
  return indices;
}

}  // namespace

std::size_t product(std::size_t count, std::size_t size) {
  std::size_t result = 0;
  if (__builtin_mul_overflow(count, size, &result)) return std::numeric_limits<std::size_t>::max();
  return result;
}

Value arithmetic(std::string_view sign, const Value& a, const Value& b, Budget& budget) {
  if (a.is_number() && b.is_number()) return numbers(sign, a, b);
  if (sign == "+" && a.text() && b.text()) {
    budget.spend(a.text()->size() + b.text()->size());
    return *a.text() + *b.text();
  }
  if (const List* left = a.list(), *right = b.list();
      sign == "+" && left && right && left->tuple == right->tuple) {
    std::vector<Value> items = left->items;
    items.insert(items.end(), right->items.begin(), right->items.end());
    budget.spend(items.size() * sizeof(Value));
    return List(std::move(items), left->tuple);
  }
  const auto is_sequence = [](const Value& value) { return value.text() || value.list(); };
  if (sign == "*" && is_sequence(a) && b.is_number()) return repeated(a, b, budget);
  if (sign == "*" && is_sequence(b) && a.is_number()) return repeated(b, a, budget);
  if (sign == "%" && a.text()) throw Failure("the formatting of a text by `%` is not supported");
  refuse_types(sign, a, b);
}

Value negative(const Value& value) {
  if (const double* number = value.as<double>()) return -*number;
  if (value.is_number()) return whole("-", 0, integer_of(value, "a number"));
  refuse_undefined(value);
  throw Failure(fmt::format("`-` does not go with {}", type_of(value)));
}

Value attribute_of(const Value& value, const std::string& name, Budget& budget) {
  refuse_undefined(value);
  if (const Loop* loop = value.loop()) return loop_attribute(*loop, name);
  if (has_method(value, name)) return Function{name, value};
  const Dict* dict = value.space() ? &value.space()->attributes : value.dict();
  if (dict == nullptr) return Undefined{name};
  budget.spend(dict->items.size());
  const Value* found = dict->find(name);
  return found ? *found : Value(Undefined{name});
}

Value item_of(const Value& value, const Value& key, Budget& budget) {
  refuse_undefined(value);
  if (const auto* name = key.text()) {
    if (const Dict* dict = value.dict()) {
      budget.spend(dict->items.size());
      if (const Value* found = dict->find(*name)) return *found;
    }
    return attribute_of(value, *name, budget);
  }
  const bool by_place = value.list() || value.text();
  if (by_place && (key.as<std::int64_t>() || key.as<bool>())) {
    const std::int64_t index = integer_of(key, "an index");
    return item_at(value, index, Undefined{fmt::format("[{}]", index)}, budget);
  }
  return Undefined{fmt::format("[{}]", type_of(key))};
}

Value slice_of(const Value& value, const Value& first, const Value& last, const Value& step, Budget& budget) {
  refuse_undefined(value);
  const std::int64_t stride = step.is_none() ? 1 : integer_of(step, "a step");
  if (stride == 0) throw Failure("the step of a slice is zero");
  if (const List* list = value.list()) {
    std::vector<Value> items;
    for (const auto i : slice_indices(static_cast<std::int64_t>(list->items.size()), first, last, stride))
      items.push_back(list->items[i]);
    budget.spend(items.size() * (sizeof(Value) + sizeof(std::size_t)));
    return List(std::move(items), list->tuple);
  }
  if (!value.text()) throw Failure(fmt::format("{} has no slices", type_of(value)));
  budget.spend(product(value.text()->size(), 8));
  const auto all = characters(*value.text());
  std::string text;
  for (const auto i : slice_indices(static_cast<std::int64_t>(all.size()), first, last, stride))
    text += all[i];
  return text;
}

}  // namespace ladimo::jinja
