// The filters and tests of templates: `value | name(...)` and `value is name(...)`.
#pragma once

#include <string>

#include "jinja/arguments.h"
#include "jinja/value.h"

namespace ladimo::jinja {

/// Throws Failure when there is no such filter, or it cannot work on the value.
Value apply_filter(const std::string& name, const Value& value, const Arguments& arguments, Budget& budget);

/// Throws Failure when there is no such test, or it cannot work on the value.
bool passes_test(const std::string& name, const Value& value, const Arguments& arguments, Budget& budget);

}  // namespace ladimo::jinja
