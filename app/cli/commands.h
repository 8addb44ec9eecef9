// One function per command: it adds the command's options to the parser and returns what runs the command.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/context.h"
#include "output.h"

namespace CLI {
class App;
}

namespace ladimo::cli {

/// Options that every command takes.
struct Common {
  bool json = false;
  bool events = false;
  int threads = 0;
  std::string device = "cpu";
  std::optional<std::uint64_t> seed;
  std::optional<std::uint64_t> memory;  // bytes to stay within
};

/// A check for the parser: says what is wrong with a text that is not a whole number of at least 0.
std::string whole_number(const std::string& text);

/// What a command works with once its command line is parsed.
struct Session {
  const Common& common;
  Output& output;
  const Context& context;
};

/// Runs the command and returns its exit status. Throws Error.
using Command = std::function<int(const Session&)>;

Command add_inspect(CLI::App& app);
Command add_plan(CLI::App& app);
Command add_convert(CLI::App& app);
Command add_show(CLI::App& app);
Command add_policy(CLI::App& app);
Command add_eval(CLI::App& app);
Command add_generate(CLI::App& app);
Command add_bench(CLI::App& app);
Command add_compare(CLI::App& app);
Command add_serve(CLI::App& app);
Command add_export(CLI::App& app);
Command add_tokenize(CLI::App& app);
Command add_about(CLI::App& app);

}  // namespace ladimo::cli
