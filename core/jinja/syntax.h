// What a template says: its statements and expressions.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jinja/value.h"

namespace ladimo::jinja {

/// A template that cannot be read.
class SyntaxFailure : public Failure {
 public:
  SyntaxFailure(const std::string& message, int line) : Failure(message), line_(line) {}
  int line() const { return line_; }

 private:
  int line_;
};

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;
using Named = std::vector<std::pair<std::string, ExpressionPtr>>;

struct Expression {
  enum class Kind {
    literal,      // value
    name,         // name
    list,         // parts
    tuple,        // parts
    dict,         // parts: key, value, key, value, ...
    attribute,    // parts[0].name
    item,         // parts[0][parts[1]]
    slice,        // parts[0][parts[1]:parts[2]:parts[3]]; a part may be null
    call,         // parts[0](parts[1...], named)
    filter,       // parts[0] | name(parts[1...], named); parts[0] is null for a block that is filtered
    test,         // parts[0] is name(parts[1...])
    negative,     // -parts[0]
    positive,     // +parts[0]
    inverse,      // not parts[0]
    arithmetic,   // parts[0] name parts[1]
    concat,       // parts[0] ~ parts[1] ~ ...
    compare,      // parts[0] names[0] parts[1] names[1] parts[2] ...
    conjunction,  // parts[0] and parts[1]
    disjunction,  // parts[0] or parts[1]
    choice        // parts[0] if parts[1] else parts[2]; parts[2] may be null
  };
  Kind kind = Kind::literal;
  int line = 0;
  int depth = 1;  // levels of expressions inside each other
  Value value;
  std::string name;
  std::vector<std::string> names;
  std::vector<ExpressionPtr> parts;
  Named named;
};

struct Statement;
using Block = std::vector<Statement>;

/// What a statement gives a value to: a name, an attribute of a namespace, or several names.
struct Target {
  std::vector<std::string> names;
  std::string attribute;  // of the namespace names[0]; empty: none
  bool unpacks = false;
};

struct Macro {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<ExpressionPtr> defaults;  // of the last parameters
  Block body;
};

struct Statement {
  enum class Kind {
    data,     // text
    output,   // values[0]
    choice,   // bodies[i] where values[i] is the first that is true; one body more for `else`
    loop,     // target in values[0] (if values[1], which may be null): bodies[0], else bodies[1]
    set,      // target = values[0]
    capture,  // target = bodies[0] through the filters of values[0], which may be null
    macro,    // macro
    filter,   // bodies[0] through the filters of values[0]
    scope,    // bodies[0], with target.names[i] = values[i]
    stop,     // break
    next      // continue
  };
  Kind kind = Kind::data;
  int line = 0;
  std::string text;
  Target target;
  std::vector<ExpressionPtr> values;
  std::vector<Block> bodies;
  std::unique_ptr<Macro> macro;
};

}  // namespace ladimo::jinja
