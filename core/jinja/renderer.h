// Carries out the statements of a template.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jinja/arguments.h"
#include "jinja/syntax.h"

namespace ladimo::jinja {

/// The template has called raise_exception(): its own sentence.
class Raised : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Renderer {
 public:
  explicit Renderer(std::chrono::sys_seconds now) : now_(now) {}

  /// Throws Failure for what is wrong or not supported, Raised.
  std::string run(const Block& block, const nlohmann::ordered_json& variables);
  /// The line where the rendering is, or where it failed.
  int line() const { return line_; }

 private:
  /// The variables of a part of a template. Those of the parts around it are seen from inside.
  struct Scope {
    const Scope* around = nullptr;
    std::vector<std::pair<std::string_view, Value>> names;  // names live in the template or the variables
    const Value* find(std::string_view name) const;
    void put(std::string_view name, Value value);
  };
  enum class Flow { on, stop, next };
  class Level;

  Flow run(const Block& block, Scope& scope, std::string& out);
  Flow run(const Statement& statement, Scope& scope, std::string& out);
  Flow run_choice(const Statement& statement, Scope& scope, std::string& out);
  Flow run_loop(const Statement& statement, Scope& scope, std::string& out);
  List items_of_loop(const Statement& statement, const Scope& scope);
  void capture(const Statement& statement, Scope& scope);
  Flow filter_block(const Statement& statement, Scope& scope, std::string& out);
  Flow run_scope(const Statement& statement, const Scope& scope, std::string& out);
  void assign(const Target& target, Value value, Scope& scope);

  Value evaluate(const Expression& expression, const Scope& scope);
  Value variable(const Expression& expression, const Scope& scope);
  Value collection(const Expression& expression, const Scope& scope);
  Value dictionary(const Expression& expression, const Scope& scope);
  Value slice(const Expression& expression, const Scope& scope);
  Value concat(const Expression& expression, const Scope& scope);
  bool compare(const Expression& expression, const Scope& scope);
  Value call(const Expression& expression, const Scope& scope);
  Value call(const Function& function, const Arguments& arguments);
  Value call_macro(const Macro& macro, const Arguments& arguments);
  Value call_global(const std::string& name, const Arguments& arguments);
  /// The value of the filters that stand after each other, the first of which works on `text`.
  Value filter_text(const Expression& filters, Value text, const Scope& scope);
  Arguments arguments_of(const Expression& expression, const Scope& scope);

  std::chrono::sys_seconds now_;
  Budget budget_;
  int line_ = 1;
  int level_ = 0;
  Scope variables_, globals_;
  std::vector<std::unique_ptr<Namespace>> spaces_;  // they may hold each other
};

}  // namespace ladimo::jinja
