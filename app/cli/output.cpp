#include "output.h"

#include <unistd.h>
#include <cstdio>
#include <type_traits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/json_fields.h"
#include "base/setting.h"
#include "run/event_json.h"
#include "run/step.h"

namespace ladimo::cli {
namespace {

/// Prints a line. Output::flush notices if stdout did not take it.
void print_line(const std::string& text) { std::fputs((text + "\n").c_str(), stdout); }

/// The JSON as text. Bytes that are not UTF-8, which file names may hold, are replaced.
std::string written(const nlohmann::json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// `text` without characters that would steer the terminal: messages quote files, and files hold anything.
std::string harmless(std::string text) {
  for (char& c : text)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f) c = '?';
  return text;
}

}  // namespace

Output::Output(Form form) : form_(form), terminal_(isatty(STDERR_FILENO) != 0) {}

Output::~Output() { clear_line(); }

void Output::event(const Event& event) {
  if (form_ == Form::events) return line(to_json_line(event));
  std::visit(
      [this](const auto& e) {
        using E = std::decay_t<decltype(e)>;
        if constexpr (std::is_same_v<E, StepEvent>) {
          step_ = fmt::format("[{}/{}] {}", e.index + 1, e.count, step_in_words(e.name));
          clear_line();
          fmt::print(stderr, "{}\n", step_);
        } else if constexpr (std::is_same_v<E, ProgressEvent>) {
          show_progress(e);
        } else if constexpr (std::is_same_v<E, LayerEvent>) {
          clear_line();
          fmt::print(stderr, "  layer {}: loss {} -> {} in {}\n", e.layer, format_number(e.loss_before),
                     format_number(e.loss_after), format_seconds(e.seconds));
        } else if constexpr (std::is_same_v<E, WarningEvent>) {
          clear_line();
          fmt::print(stderr, "warning: {}{}{}\n", harmless(e.message), e.hint.empty() ? "" : " ",
                     harmless(in_words(e.hint, command_line())));
        }
      },
      event);
}

void Output::line(const std::string& text) {
  print_line(text);
  flush();
}

void Output::flush() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  throw Error("The output could not be written to stdout.", "Check where stdout goes; its disk may be full.");
}

void Output::show_progress(const ProgressEvent& progress) {
  if (!terminal_ || progress.total <= 0) return;
  const double share = static_cast<double>(progress.done) / static_cast<double>(progress.total);
  auto line = step_;
  if (!progress.what.empty()) line += fmt::format(" · layer {} · {}", progress.layer, progress.what);
  line += fmt::format(" · {:.0f} %", 100 * share);
  if (progress.eta_s >= 0) line += fmt::format(" · {} left", format_seconds(progress.eta_s));
  fmt::print(stderr, "\r\x1b[K{}", line);
  std::fflush(stderr);
  line_shown_ = true;
}

void Output::clear_line() {
  if (line_shown_) fmt::print(stderr, "\r\x1b[K");
  line_shown_ = false;
}

void Output::result(const nlohmann::json& json, const std::function<void()>& text) {
  clear_line();
  switch (form_) {
    case Form::json:
      print_line(written(json, 2));
      break;
    case Form::events:
      event(ResultEvent{written(json, -1)});
      break;
    case Form::text:
      text();
      break;
  }
  flush();
}

void Output::error(const Error& error) {
  clear_line();
  const auto* refusal = dynamic_cast<const Refusal*>(&error);
  std::vector<Problem> problems = refusal != nullptr ? refusal->problems() : std::vector<Problem>{};
  if (problems.empty()) problems.push_back(error.problem());
  for (const Problem& problem : problems) {
    fmt::print(stderr, "ladimo: {}\n", harmless(problem.message));
    if (!problem.path.empty()) fmt::print(stderr, "  where: {}\n", harmless(problem.path.string()));
    if (!problem.hint.empty())
      fmt::print(stderr, "  hint:  {}\n", harmless(in_words(problem.hint, command_line())));
  }
  if (form_ == Form::events)
    for (const Problem& problem : problems)
      print_line(to_json_line(ErrorEvent{problem.message, problem.hint, problem.path.string()}));
  if (form_ == Form::json)
    print_line(written({{"error", to_json(problems).front()}, {"problems", to_json(problems)}}, 2));
  std::fflush(stdout);
}

}  // namespace ladimo::cli
