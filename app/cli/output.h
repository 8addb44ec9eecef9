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
  /// The sink for the engine's events: JSON lines, or a progress line where stderr is a terminal.
  void event(const Event& event);
  /// One line on stdout, now. Throws Error when stdout does not take it.
  void line(const std::string& text);
  /// The result: one JSON object, a `result` event, or what `text` writes to stdout.
  void result(const nlohmann::json& json, const std::function<void()>& text);
  /// A sentence with its hint and path; all of a refusal's problems.
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
