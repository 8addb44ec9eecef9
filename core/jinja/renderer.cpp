#include "jinja/renderer.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "jinja/date.h"
#include "jinja/filters.h"
#include "jinja/methods.h"
#include "jinja/operations.h"
#include "jinja/writing.h"

namespace ladimo::jinja {
namespace {

using Kind = Expression::Kind;

constexpr int deepest = 600;           // expressions, statements and macros inside each other
constexpr std::size_t step_cost = 32;  // of an expression or a statement

constexpr std::string_view functions[] = {"raise_exception", "strftime_now", "namespace", "range", "dict"};
constexpr std::string_view other_functions[] = {"lipsum", "cycler", "joiner", "caller", "varargs", "kwargs"};

}  // namespace

const Value* Renderer::Scope::find(std::string_view name) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->around)
    for (const auto& [known, value] : scope->names)
      if (known == name) return &value;
  return nullptr;
}

void Renderer::Scope::put(std::string_view name, Value value) {
  for (auto& [known, old] : names)
    if (known == name) {
      old = std::move(value);
      return;
    }
  names.emplace_back(name, std::move(value));
}

/// Counts how deep the rendering is, and what it costs.
class Renderer::Level {
 public:
  explicit Level(Renderer& renderer) : renderer_(renderer) {
    if (renderer_.level_ >= deepest) throw Failure("macros call each other too deeply");
    ++renderer_.level_;
    try {
      renderer_.budget_.spend(step_cost);
    } catch (...) {
      --renderer_.level_;
      throw;
    }
  }
  ~Level() { --renderer_.level_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  Renderer& renderer_;
};

std::string Renderer::run(const Block& block, const nlohmann::ordered_json& variables) {
  for (const auto& [name, value] : variables.items()) variables_.put(name, value_of(value, budget_));
  globals_.around = &variables_;
  std::string out;
  run(block, globals_, out);
  return out;
}

Renderer::Flow Renderer::run(const Block& block, Scope& scope, std::string& out) {
  for (const Statement& statement : block)
    if (const Flow flow = run(statement, scope, out); flow != Flow::on) return flow;
  return Flow::on;
}

Renderer::Flow Renderer::run(const Statement& statement, Scope& scope, std::string& out) {
  const Level level(*this);
  line_ = statement.line;
  switch (statement.kind) {
    case Statement::Kind::data:
      budget_.spend(statement.text.size());
      out += statement.text;
      return Flow::on;
    case Statement::Kind::output: {
      const Value value = evaluate(*statement.values[0], scope);
      line_ = statement.line;
      out += printed(value, budget_);
      return Flow::on;
    }
    case Statement::Kind::choice:
      return run_choice(statement, scope, out);
    case Statement::Kind::loop:
      return run_loop(statement, scope, out);
    case Statement::Kind::set:
      assign(statement.target, evaluate(*statement.values[0], scope), scope);
      return Flow::on;
    case Statement::Kind::capture:
      capture(statement, scope);
      return Flow::on;
    case Statement::Kind::macro:
      scope.put(statement.macro->name, Function{statement.macro->name, None(), statement.macro.get()});
      return Flow::on;
    case Statement::Kind::filter:
      return filter_block(statement, scope, out);
    case Statement::Kind::scope:
      return run_scope(statement, scope, out);
    case Statement::Kind::stop:
      return Flow::stop;
    case Statement::Kind::next:
      return Flow::next;
  }
  return Flow::on;
}

Renderer::Flow Renderer::run_choice(const Statement& statement, Scope& scope, std::string& out) {
  for (std::size_t i = 0; i < statement.values.size(); ++i)
    if (truth(evaluate(*statement.values[i], scope))) return run(statement.bodies[i], scope, out);
  const bool has_else = statement.bodies.size() > statement.values.size();
  return has_else ? run(statement.bodies.back(), scope, out) : Flow::on;
}

/// What a loop goes through. Items that its condition leaves out do not count.
List Renderer::items_of_loop(const Statement& statement, const Scope& scope) {
  const Value whole = evaluate(*statement.values[0], scope);
  line_ = statement.line;
  List all = items_of(whole, budget_);
  if (statement.values[1] == nullptr) return all;
  std::vector<Value> chosen;
  for (Value& item : all.items) {
    Scope inner{&scope, {}};
    assign(statement.target, item, inner);
    if (truth(evaluate(*statement.values[1], inner))) chosen.push_back(std::move(item));
  }
  return List(std::move(chosen));
}

Renderer::Flow Renderer::run_loop(const Statement& statement, Scope& scope, std::string& out) {
  const auto items = std::make_shared<const Value>(items_of_loop(statement, scope));
  const auto& all = items->list()->items;
  for (std::size_t i = 0; i < all.size(); ++i) {
    budget_.spend(step_cost);
    Scope inner{&scope, {}};
    Loop turn;
    turn.items = items;
    turn.index = static_cast<std::int64_t>(i);
    inner.put("loop", std::make_shared<const Loop>(std::move(turn)));
    assign(statement.target, all[i], inner);
    if (run(statement.bodies[0], inner, out) == Flow::stop) break;
  }
  if (!all.empty()) return Flow::on;
  Scope inner{&scope, {}};
  return run(statement.bodies[1], inner, out);
}

void Renderer::capture(const Statement& statement, Scope& scope) {
  std::string text;
  Scope inner{&scope, {}};
  run(statement.bodies[0], inner, text);
  Value value(std::move(text));
  if (statement.values[0]) value = filter_text(*statement.values[0], std::move(value), scope);
  assign(statement.target, std::move(value), scope);
}

Renderer::Flow Renderer::filter_block(const Statement& statement, Scope& scope, std::string& out) {
  std::string text;
  Scope inner{&scope, {}};
  const Flow flow = run(statement.bodies[0], inner, text);
  out += printed(filter_text(*statement.values[0], Value(std::move(text)), scope), budget_);
  return flow;
}

Renderer::Flow Renderer::run_scope(const Statement& statement, const Scope& scope, std::string& out) {
  Scope inner{&scope, {}};
  for (std::size_t i = 0; i < statement.values.size(); ++i)
    inner.put(statement.target.names[i], evaluate(*statement.values[i], scope));
  return run(statement.bodies[0], inner, out);
}

void Renderer::assign(const Target& target, Value value, Scope& scope) {
  if (!target.attribute.empty()) {
    const Value* owner = scope.find(target.names[0]);
    Namespace* space = owner ? owner->space() : nullptr;
    if (space == nullptr) throw Failure(fmt::format("`{}` is no namespace", target.names[0]));
    return space->attributes.put(target.attribute, std::move(value));
  }
  if (!target.unpacks) return scope.put(target.names[0], std::move(value));
  const List parts = items_of(value, budget_);
  if (parts.items.size() != target.names.size())
    throw Failure(fmt::format("{} values do not fit {} names", parts.items.size(), target.names.size()));
  for (std::size_t i = 0; i < parts.items.size(); ++i) scope.put(target.names[i], parts.items[i]);
}

Value Renderer::evaluate(const Expression& expression, const Scope& scope) {
  const Level level(*this);
  line_ = expression.line;
  const auto part = [&](std::size_t i) { return evaluate(*expression.parts[i], scope); };
  switch (expression.kind) {
    case Kind::literal:
      return expression.value;
    case Kind::name:
      return variable(expression, scope);
    case Kind::list:
    case Kind::tuple:
      return collection(expression, scope);
    case Kind::dict:
      return dictionary(expression, scope);
    case Kind::attribute:
      return attribute_of(part(0), expression.name, budget_);
    case Kind::item: {
      const Value whole = part(0), key = part(1);
      return item_of(whole, key, budget_);
    }
    case Kind::slice:
      return slice(expression, scope);
    case Kind::call:
      return call(expression, scope);
    case Kind::filter:
      return filter_text(expression, Undefined(), scope);
    case Kind::test: {
      const Value value = part(0);
      return passes_test(expression.name, value, arguments_of(expression, scope), budget_);
    }
    case Kind::negative:
      return negative(part(0));
    case Kind::positive: {
      const Value value = part(0);
      return value.is_number() ? value : negative(value);  // which refuses it
    }
    case Kind::inverse:
      return !truth(part(0));
    case Kind::arithmetic: {
      const Value a = part(0), b = part(1);
      line_ = expression.line;
      return arithmetic(expression.name, a, b, budget_);
    }
    case Kind::concat:
      return concat(expression, scope);
    case Kind::compare:
      return compare(expression, scope);
    case Kind::conjunction: {
      Value a = part(0);
      return truth(a) ? part(1) : a;
    }
    case Kind::disjunction: {
      Value a = part(0);
      return truth(a) ? a : part(1);
    }
    case Kind::choice:
      if (truth(part(1))) return part(0);
      return expression.parts[2] ? part(2) : Value(Undefined{"the inline if without else"});
  }
  return {};
}

Value Renderer::variable(const Expression& expression, const Scope& scope) {
  const std::string& name = expression.name;
  if (const Value* value = scope.find(name)) return *value;
  if (std::ranges::find(functions, name) != std::end(functions)) return Function{name, None()};
  if (std::ranges::find(other_functions, name) != std::end(other_functions))
    throw Failure(fmt::format("`{}` is not supported", name));
  return Undefined{name.substr(0, 100)};
}

Value Renderer::collection(const Expression& expression, const Scope& scope) {
  std::vector<Value> items;
  for (const auto& part : expression.parts) {
    budget_.spend(sizeof(Value));
    items.push_back(evaluate(*part, scope));
  }
  return List(std::move(items), expression.kind == Kind::tuple);
}

Value Renderer::dictionary(const Expression& expression, const Scope& scope) {
  Dict dict;
  for (std::size_t i = 0; i < expression.parts.size(); i += 2) {
    const Value key = evaluate(*expression.parts[i], scope);
    if (!key.text()) throw Failure(fmt::format("{} as a key of a dictionary is not supported", type_of(key)));
    budget_.spend(key.text()->size() + dict.items.size() + sizeof(Value));
    dict.put(*key.text(), evaluate(*expression.parts[i + 1], scope));
  }
  return dict;
}

Value Renderer::slice(const Expression& expression, const Scope& scope) {
  Value parts[4] = {None(), None(), None(), None()};
  for (std::size_t i = 0; i < expression.parts.size(); ++i)
    if (expression.parts[i]) parts[i] = evaluate(*expression.parts[i], scope);
  line_ = expression.line;
  return slice_of(parts[0], parts[1], parts[2], parts[3], budget_);
}

Value Renderer::concat(const Expression& expression, const Scope& scope) {
  std::string text;
  for (const auto& part : expression.parts) text += printed(evaluate(*part, scope), budget_);
  return text;
}

bool Renderer::compare(const Expression& expression, const Scope& scope) {
  Value left = evaluate(*expression.parts[0], scope);
  for (std::size_t i = 0; i < expression.names.size(); ++i) {
    Value right = evaluate(*expression.parts[i + 1], scope);
    line_ = expression.line;
    const std::string_view sign = expression.names[i];
    const bool holds = sign == "=="       ? equal(left, right, budget_)
                       : sign == "!="     ? !equal(left, right, budget_)
                       : sign == "in"     ? contains(right, left, budget_)
                       : sign == "not in" ? !contains(right, left, budget_)
                       : sign == "<"      ? less(left, right)
                       : sign == ">"      ? less(right, left)
                       : sign == "<="     ? !less(right, left)
                                          : !less(left, right);
    if (!holds) return false;
    left = std::move(right);
  }
  return true;
}

Arguments Renderer::arguments_of(const Expression& expression, const Scope& scope) {
  Arguments arguments;
  for (std::size_t i = 1; i < expression.parts.size(); ++i)
    arguments.values.push_back(evaluate(*expression.parts[i], scope));
  for (const auto& [name, value] : expression.named) {
    if (std::ranges::find(arguments.named, name, &std::pair<std::string, Value>::first) !=
        arguments.named.end())
      throw Failure(fmt::format("the argument `{}` is given twice", name));
    arguments.named.emplace_back(name, evaluate(*value, scope));
  }
  line_ = expression.line;
  return arguments;
}

Value Renderer::filter_text(const Expression& filters, Value text, const Scope& scope) {
  const Level level(*this);
  if (filters.kind != Kind::filter) throw Failure("only filters may follow each other here");
  Value value;
  if (filters.parts[0] == nullptr)
    value = std::move(text);
  else if (filters.parts[0]->kind == Kind::filter)
    value = filter_text(*filters.parts[0], std::move(text), scope);
  else
    value = evaluate(*filters.parts[0], scope);
  return apply_filter(filters.name, value, arguments_of(filters, scope), budget_);
}

Value Renderer::call(const Expression& expression, const Scope& scope) {
  const Value callee = evaluate(*expression.parts[0], scope);
  const Function* function = callee.function();
  if (function == nullptr) {
    const auto* undefined = callee.as<Undefined>();
    line_ = expression.line;
    throw Failure(undefined ? fmt::format("there is no function `{}`", undefined->name)
                            : fmt::format("{} cannot be called", type_of(callee)));
  }
  return call(*function, arguments_of(expression, scope));
}

Value Renderer::call(const Function& function, const Arguments& arguments) {
  if (function.macro) return call_macro(*function.macro, arguments);
  if (function.self.is_none()) return call_global(function.name, arguments);
  return call_method(function.self, function.name, arguments, budget_);
}

Value Renderer::call_macro(const Macro& macro, const Arguments& arguments) {
  const Level level(*this);
  Scope inner{&globals_, {}};
  if (arguments.values.size() > macro.parameters.size())
    throw Failure(fmt::format("the macro `{}` takes {} arguments, not {}", macro.name,
                              macro.parameters.size(), arguments.values.size()));
  for (const auto& [name, value] : arguments.named)
    if (std::ranges::find(macro.parameters, name) == macro.parameters.end())
      throw Failure(fmt::format("the macro `{}` has no argument `{}`", macro.name, name));
  const std::size_t without = macro.parameters.size() - macro.defaults.size();
  for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
    const std::string& name = macro.parameters[i];
    if (const Value* given = arguments.find(i, name))
      inner.put(name, *given);
    else if (i >= without)
      inner.put(name, evaluate(*macro.defaults[i - without], inner));
    else
      inner.put(name, Undefined{name});
  }
  std::string text;
  run(macro.body, inner, text);
  return text;
}

Value Renderer::call_global(const std::string& name, const Arguments& arguments) {
  if (name == "raise_exception") {
    arguments.fit(name, {"message"});
    const Value* message = arguments.find(0, "message");
    throw Raised(message ? printed(*message, budget_) : std::string());
  }
  if (name == "strftime_now") {
    arguments.fit(name, {"format"});
    return date_text(now_, arguments.text(0, "format"));
  }
  if (name == "range") {
    arguments.fit(name, {"first", "last", "step"});
    const std::size_t given = arguments.values.size();
    if (given == 0 || !arguments.named.empty()) throw Failure("`range` takes one to three numbers");
    const auto number = [&](std::size_t i) { return integer_of(arguments.values[i], "a bound of `range`"); };
    const std::int64_t first = given > 1 ? number(0) : 0, last = number(given > 1 ? 1 : 0),
                       step = given > 2 ? number(2) : 1;
    if (step == 0) throw Failure("the step of `range` is zero");
    std::vector<Value> numbers;
    for (std::int64_t i = first; step > 0 ? i < last : i > last;) {
      budget_.spend(sizeof(Value));
      numbers.emplace_back(i);
      if (__builtin_add_overflow(i, step, &i)) break;
    }
    return List(std::move(numbers));
  }
  if (!arguments.values.empty())
    throw Failure(fmt::format("an argument without a name of `{}` is not supported", name));
  Dict dict;
  for (const auto& [key, value] : arguments.named) dict.put(key, value);
  if (name == "dict") return dict;
  budget_.spend(sizeof(Namespace));
  spaces_.push_back(std::make_unique<Namespace>(Namespace{std::move(dict)}));
  return spaces_.back().get();
}

}  // namespace ladimo::jinja
