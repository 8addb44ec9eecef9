// The values of a chat template: those of Python that templates use. Values do not change once made, except
// for the attributes of a namespace.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ladimo::jinja {

/// Why a template cannot be read or rendered: a sentence without its full stop.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What one rendering may cost, so that a hostile template ends. A byte or a list element that is made costs
/// what it takes in memory, an evaluated expression a little more than that.
class Budget {
 public:
  /// Throws Failure when the budget is used up.
  void spend(std::size_t cost);

 private:
  std::size_t left_ = std::size_t{256} << 20;
};

class Value;
struct List;
struct Dict;
struct Namespace;
struct Loop;
struct Function;
struct Macro;

/// A name or a key that is not there. It prints nothing, counts as false and holds nothing.
struct Undefined {
  std::string name;
};
struct None {};

class Value {
 public:
  Value() : data_(Undefined()) {}
  Value(Undefined undefined) : data_(std::move(undefined)) {}
  Value(None) : data_(None()) {}
  Value(bool flag) : data_(flag) {}
  Value(std::int64_t number) : data_(number) {}
  Value(double number) : data_(number) {}
  Value(std::string text) : data_(std::make_shared<const std::string>(std::move(text))) {}
  Value(const char* text) : Value(std::string(text)) {}
  Value(List list);
  Value(Dict dict);
  Value(Function function);
  Value(Namespace* space) : data_(space) {}
  Value(std::shared_ptr<const Loop> loop) : data_(std::move(loop)) {}

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  bool is_number() const { return as<std::int64_t>() || as<double>() || as<bool>(); }
  /// The value when it has this type, else null: bool, std::int64_t, double, Undefined.
  template <class T>
  const T* as() const {
    return std::get_if<T>(&data_);
  }
  const std::string* text() const { return pointee<std::string>(); }
  const List* list() const { return pointee<List>(); }
  const Dict* dict() const { return pointee<Dict>(); }
  const Loop* loop() const { return pointee<Loop>(); }
  const Function* function() const { return pointee<Function>(); }
  Namespace* space() const {
    const auto* found = std::get_if<Namespace*>(&data_);
    return found ? *found : nullptr;
  }

 private:
  template <class T>
  const T* pointee() const {
    const auto* found = std::get_if<std::shared_ptr<const T>>(&data_);
    return found ? found->get() : nullptr;
  }

  std::variant<Undefined, None, bool, std::int64_t, double, std::shared_ptr<const std::string>,
               std::shared_ptr<const List>, std::shared_ptr<const Dict>, std::shared_ptr<const Loop>,
               std::shared_ptr<const Function>, Namespace*>
      data_;
};

/// The levels of lists and dictionaries inside each other. Throws Failure when there would be too many for
/// functions that walk a value by recursion.
int nested(int inner);
int depth_of(const Value& value);

struct List {
  List() = default;
  explicit List(std::vector<Value> values, bool is_tuple = false);
  std::vector<Value> items;
  bool tuple = false;  // prints in round brackets
  int depth = 1;
};

struct Dict {
  std::vector<std::pair<std::string, Value>> items;  // in the order in which they were put
  int depth = 1;

  /// The value of a key; null where it is absent.
  const Value* find(std::string_view key) const;
  void put(std::string key, Value value);
};

/// The one value that changes. It lives as long as the rendering.
struct Namespace {
  Dict attributes;
};

/// The variable `loop` at one turn.
struct Loop {
  std::shared_ptr<const Value> items;  // a list
  std::int64_t index = 0;              // from 0
};

/// Something to call: a function of the environment, a method with its object, or a macro.
struct Function {
  std::string name;
  Value self;                    // a method's object
  const Macro* macro = nullptr;  // belongs to the template
};

/// JSON as a value. Throws Failure when it is nested too deeply or holds a number that is out of range.
/// `level` counts the lists and dictionaries around it.
Value value_of(const nlohmann::ordered_json& json, Budget& budget, int level = 0);

/// Python's name of the type, for messages.
const char* type_of(const Value& value);

bool truth(const Value& value);
bool equal(const Value& a, const Value& b, Budget& budget);
/// Whether a < b. Throws Failure when the types cannot be compared.
bool less(const Value& a, const Value& b);
/// Whether `part` is in `whole`. Throws Failure when `whole` holds nothing by its type.
bool contains(const Value& whole, const Value& part, Budget& budget);
/// What a loop over the value sees: the items of a list, the keys of a dictionary, the characters of a text.
/// Throws Failure when there is nothing to loop over.
List items_of(const Value& value, Budget& budget);
/// A number as floating point; a flag counts as 0 or 1. Precondition: value.is_number().
double number_of(const Value& value);
/// A whole number. Throws Failure that names `what` when the value is none.
std::int64_t integer_of(const Value& value, const char* what);

}  // namespace ladimo::jinja
