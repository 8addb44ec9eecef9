// What the command line says, and where: results on stdout, everything else on stderr.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/context.h"
#include "base/error.h"

namespace ladimo::cli {

enum class Form { text, json, events };

/// Prints results, errors and progress in the form that was asked for.
class Output {
 public:
  explicit Output(Form form);
  ~Output();

  Form form() const { return form_; }
  /// Takes the engine's events: prints them as JSON lines, or as a progress line where stderr is a terminal.
  void event(const Event& event);
  /// Prints one line on stdout at once. Throws Error when stdout does not take it.
  void line(const std::string& text);
  /// Prints the result as one JSON object, as a `result` event, or by calling `text`, which writes to stdout.
  void result(const nlohmann::json& json, const std::function<void()>& text);
  /// Prints an error with its hint and path, and every problem of a refusal.
  void error(const Error& error);

 private:
  void flush();
  void show_progress(const ProgressEvent& progress);
  void clear_line();

  Form form_;
  bool terminal_;
  bool line_shown_ = false;
  std::string step_;
};

}  // namespace ladimo::cli
