#include "program.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/version.h"
#include "interrupt.h"
#include "output.h"

namespace ladimo::cli {
namespace {

enum Status { done = 0, failed = 1, refused = 2, interrupted = 130 };

/// A check for the parser: says what is wrong with a text that is not an amount of memory.
std::string amount_of_memory(const std::string& text) {
  try {
    parse_bytes(text);
    return "";
  } catch (const Refusal& refusal) {
    return refusal.problem().message + " " + refusal.problem().hint;
  }
}

void add_common(CLI::App& app, Common& common) {
  app.add_flag("--json", common.json, "Print the result as one JSON object on stdout");
  app.add_flag("--events", common.events,
               "Print events as JSON Lines on stdout; end-of-file on stdin stops the command")
      ->excludes("--json");
  app.add_option("--threads", common.threads, "CPU threads (0: all)");
  app.add_option_function<std::string>(
         "--memory", [&common](const std::string& text) { common.memory = parse_bytes(text); },
         "Use at most this much memory, like 4GB; larger data goes to scratch files (most of the free "
         "memory)")
      ->type_name("BYTES")
      ->check(amount_of_memory);
  app.add_option("--device", common.device, "cpu, or cuda:0");
  app.add_option("--seed", common.seed, "Random seed (0)")->check(whole_number);
}

int run_command(const Command& command, const Common& common, Output& output, bool watches_stdin) {
  if (watches_stdin) stop_at_end_of_stdin();
  const Context context([&output](const Event& event) { output.event(event); }, &stop_requested());
  try {
    return command({common, output, context});
  } catch (const Refusal& refusal) {
    output.error(refusal);
    return refused;
  } catch (const Interrupted& error) {
    output.error(error);
    return interrupted;
  } catch (const Error& error) {
    output.error(error);
    return failed;
  } catch (const std::filesystem::filesystem_error& error) {
    output.error(Refusal(problem_of(error)));
    return error.code() == std::errc::no_space_on_device ? failed : refused;
  } catch (const std::exception& error) {
    output.error(Error(problem_of(error)));
    return failed;
  }
}

}  // namespace

std::string whole_number(const std::string& text) {
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c); });
  if (!digits) return "\"" + text + "\" is not a whole number of at least 0";
  std::uint64_t number = 0;  // the parser would take the largest one for what does not fit
  const bool fits = std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc();
  return fits ? "" : fmt::format("a number of {} digits is too large", text.size());
}

int run(int argc, char** argv, const std::vector<Offer>& offers) {
  CLI::App app("Turns a dense LLaMA-family model into a sparse Mixture-of-Experts model.", "ladimo");
  app.set_version_flag("--version", std::string("ladimo ") + version());
  app.require_subcommand(1);
  app.fallthrough(false);

  Common common;
  std::vector<std::pair<CLI::App*, Command>> commands;
  for (const auto& [name, description, add] : offers) {
    auto* sub = app.add_subcommand(name, description);
    add_common(*sub, common);
    commands.emplace_back(sub, add(*sub));
  }
  const auto form_of = [&] {
    const auto named = app.get_subcommands();
    const bool serves = !named.empty() && named.front()->get_name() == "serve";
    if (common.events || serves) return Form::events;
    return common.json ? Form::json : Form::text;
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    Output(form_of()).error(Refusal(error.what(), "See `ladimo --help`, or `ladimo COMMAND --help`."));
    return refused;
  } catch (const Refusal& refusal) {  // a MODEL that is nowhere
    Output(form_of()).error(refusal);
    return refused;
  }
  Output output(form_of());
  start_log(LogLevel::normal);
  for (const auto& [sub, command] : commands)
    if (sub->parsed())
      return run_command(command, common, output, common.events && sub->get_name() != "serve");
  return refused;
}

std::vector<Offer> light_commands() {
  return {{"show", "Show a run: layers, trade-off, policy", add_show},
          {"policy", "Choose a routing policy for every layer within a budget", add_policy},
          {"tokenize", "Show the tokens of text, without BOS or EOS", add_tokenize}};
}

}  // namespace ladimo::cli
