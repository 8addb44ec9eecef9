// Operators, attributes and subscripts.
#pragma once

#include <string>
#include <string_view>

#include "jinja/value.h"

namespace ladimo::jinja {

/// a + b and the like: + - * / // %. Throws Failure when the types do not go together or the result is out of
/// range.
Value arithmetic(std::string_view sign, const Value& a, const Value& b, Budget& budget);
Value negative(const Value& value);

/// value.name: a method or an attribute, else the item of that key, else an undefined value. Throws Failure
/// for what Python has and this program does not, and for an attribute of an undefined value.
Value attribute_of(const Value& value, const std::string& name, Budget& budget);
/// value[key]: an item, else a method or an attribute, else an undefined value.
Value item_of(const Value& value, const Value& key, Budget& budget);
/// value[first:last:step], where none stands for a bound that is left out.
Value slice_of(const Value& value, const Value& first, const Value& last, const Value& step, Budget& budget);

/// The sum of two sizes or lengths. Throws Failure when `count` things of `size` bytes are too many.
std::size_t product(std::size_t count, std::size_t size);

}  // namespace ladimo::jinja
