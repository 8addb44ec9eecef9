// Damages every file that the program reads, a little every time, and runs the commands that read it. Each
// call must end in one of three ways: the damage did not matter (0), it failed while running (1), or it was
// refused (2, nothing written), the last two with a sentence that names the file. Never a crash, a hang,
// memory without bound, or words that are not ours.
#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/format.h"
#include "forked_call.h"
#include "mutation.h"
#include "place.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr double most_memory = 1 << 30;  // a good call takes 0.3 GB, most of it libtorch
constexpr int slow_one_in = 15;

/// What is wrong with how a call ended, a sentence each.
using Faults = std::vector<std::string>;

struct Case {
  std::vector<std::string> arguments;
  std::string mutation;
  Ended ended;
  Faults faults;
};

/// Words of libraries, of the language and of the place where everything is caught that nobody foresaw.
void find_foreign_words(const std::string& said, Faults& faults) {
  for (const char* word : {"This is a bug",
                           "Internal error",
                           "std::",
                           "nlohmann",
                           "json.exception",
                           "basic_string",
                           "vector::",
                           "c10::",
                           "at::",
                           "Exception raised",
                           "protobuf",
                           "INTERNAL",
                           "terminate called",
                           "AddressSanitizer",
                           "runtime error:",
                           "bad_alloc",
                           "stoi",
                           "stol",
                           "stoul",
                           "not enough memory for this"})
    if (said.find(word) != std::string::npos) faults.push_back(fmt::format("it says \"{}\"", word));
}

/// Whether what is said would steer the terminal.
bool steers(const std::string& said) {
  return std::ranges::any_of(said, [](unsigned char c) { return std::iscntrl(c) && c != '\n' && c != '\t'; });
}

/// A sentence and a hint, both ending as sentences do.
void check_wording(const std::string& message, const std::string& hint, Faults& faults) {
  if (message.empty() || !(message.ends_with('.') || message.ends_with('?')))
    faults.push_back(fmt::format("no sentence: \"{}\"", message));
  if (hint.empty()) faults.push_back("no hint");
}

/// The problems on stderr: each begins with "ladimo: ", and its place and its hint follow on lines of their
/// own.
void check_stderr(const std::string& err, Faults& faults) {
  std::vector<std::pair<std::string, std::string>> problems;
  std::string* part = nullptr;  // what a line without a mark goes on with
  std::istringstream lines(err);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("ladimo: ")) {
      part = &problems.emplace_back(line.substr(8), "").first;
    } else if (line.starts_with("  where: ")) {
      part = nullptr;
    } else if (line.starts_with("  hint:  ") && !problems.empty()) {
      part = &problems.back().second;
      *part = line.substr(9);
    } else if (part != nullptr) {
      *part += "\n" + line;
    }
  }
  for (const auto& [message, hint] : problems) check_wording(message, hint, faults);
  if (problems.empty()) faults.push_back("no sentence");
}

/// Whether a table says "nan" or "inf" where a number belongs.
bool answers_no_number(const Case& c) {
  static const std::vector<std::string> tables = {"eval", "policy", "show", "plan"};
  if (c.ended.status != 0 || std::ranges::find(tables, c.arguments.front()) == tables.end()) return false;
  for (const char* word : {" nan", " inf", " -nan", " -inf"})
    if (const auto at = c.ended.out.find(word); at != std::string::npos) {
      const auto end = at + std::string_view(word).size();
      if (end == c.ended.out.size() || !std::isalnum(static_cast<unsigned char>(c.ended.out[end])))
        return true;
    }
  return false;
}

/// The file is named, or the folder that it is in, or the option that no longer fits what the file says.
bool names(const std::string& said, const fs::path& file) {
  const auto parent = file.parent_path();
  return said.find(file.filename().string()) != std::string::npos ||
         (!parent.empty() && said.find("/" + parent.filename().string()) != std::string::npos) ||
         said.find(" --") != std::string::npos;
}

Faults faults_of(const Ended& ended) {
  Faults faults;
  if (ended.hung)
    faults.push_back("it hangs");
  else if (ended.signal != 0)
    faults.push_back(fmt::format("it dies of signal {}", ended.signal));
  else if (ended.status < 0 || ended.status > 2)
    faults.push_back(fmt::format("it ends with status {}", ended.status));
  if (static_cast<double>(ended.peak_bytes) > most_memory)
    faults.push_back("it takes " + format_bytes(static_cast<double>(ended.peak_bytes)));
  find_foreign_words(ended.err, faults);
  if (steers(ended.err)) faults.push_back("it says control characters");
  return faults;
}

/// What a command that goes on with a run does before it reads everything: it writes to the log, and removes
/// claims on layers that nobody holds any more.
bool is_housekeeping(const std::string& change) {
  return change == "changed: run/log.txt" || change.starts_with("gone: run/.claims");
}

/// Puts the hash of a layer's damaged weights into its record, as if they had been written so. Without this,
/// no damage gets past the comparison of hashes.
void renew_hash(Place& place, const fs::path& weights) {
  const bool finished = weights.parent_path().filename() == "finish";
  const fs::path file = finished ? weights.parent_path().parent_path() / "finish.json"
                                 : fs::path(weights).replace_extension(".json");
  json record = read_json(place.path(file));
  (finished ? record["layers"][0] : record)["hash"] = hash_of_file(place.path(weights));
  place.replace(file, record.dump(2) + "\n");
}

Case damage_file(Place& place, const Subject& subject, Random& random) {
  Case result;
  const bool slow = !subject.slow_commands.empty() && random.below(slow_one_in) == 0;
  const auto& commands = slow ? subject.slow_commands : subject.commands;
  const fs::path file = subject.files[random.below(subject.files.size())];
  result.arguments = commands[random.below(commands.size())];
  result.arguments.insert(result.arguments.end(), {"--threads", "1"});
  const auto mutation = mutated(file.filename(), read_file(place.path(file)), random);
  result.mutation = fmt::format("{}: {}", file.string(), mutation.what);
  place.replace(file, mutation.bytes);
  if (subject.name == "run" && mutation.bytes && file.extension() == ".safetensors" && random.below(4) > 0) {
    renew_hash(place, file);
    result.mutation += ", with its hash";
  }
  place.look();
  result.ended = forked_call(result.arguments, {}, {});
  result.faults = faults_of(result.ended);
  if (answers_no_number(result)) result.faults.push_back("it answers nan or inf");
  if (result.ended.status == 1 || result.ended.status == 2) {
    check_stderr(result.ended.err, result.faults);
    // Settings of a recipe are named themselves, because they may also come from the command line.
    if (subject.name != "recipe" && !names(result.ended.err, file))
      result.faults.push_back("the file is not named");
  }
  if (result.ended.status == 2)
    for (const std::string& change : place.changes())
      if (!is_housekeeping(change)) result.faults.push_back("refused, but " + change);
  place.restore();
  return result;
}

/// A damaged request to `serve`, then a good one that must still be answered.
Case damage_request(Place& place, Random& random) {
  const json policy = read_json(place.path("policy.json"));
  const json requests[] = {{{"id", 1},
                            {"request", "generate"},
                            {"prompt", "the cat"},
                            {"max_tokens", 2},
                            {"temperature", 0.5},
                            {"seed", 1},
                            {"sides", {"dense", "converted"}},
                            {"policy", policy}},
                           {{"id", 1},
                            {"request", "eval"},
                            {"text", {place.path("other.txt")}},
                            {"tokens", 64},
                            {"window", 32},
                            {"policy", policy}},
                           {{"id", 1}, {"request", "policy"}, {"policy", policy}, {"name", "quiet"}},
                           {{"request", "cancel"}, {"id", 1}}};
  const auto mutation = mutated_line(requests[random.below(std::size(requests))].dump(), random);
  const json good = {{"id", 4710}, {"request", "generate"}, {"prompt", "the"}, {"max_tokens", 1}};
  const json last = {{"id", 4711}, {"request", "nothing"}};  // answered by one line
  Case result;
  result.arguments = {"serve", place.path("run"), "--threads", "1"};
  result.mutation = mutation.what;
  const Input input{*mutation.bytes + "\n" + good.dump() + "\n" + last.dump() + "\n", "\"id\":4711"};
  result.ended = forked_call(result.arguments, input, {});
  result.faults = faults_of(result.ended);
  if (result.ended.status != 0) result.faults.push_back("serve ends");
  bool answered = false;
  std::istringstream lines(result.ended.out);
  for (std::string line; std::getline(lines, line);) {
    const json event = json::parse(line, nullptr, false);
    const std::string kind = event.is_object() ? event.value("event", "") : "";
    if (kind.empty()) result.faults.push_back("a line of the answer is no event");
    if (kind == "error") {
      const std::string message = event.value("message", ""), hint = event.value("hint", "");
      check_wording(message, hint, result.faults);
      find_foreign_words(message + "\n" + hint, result.faults);
    }
    answered = answered || (kind == "result" && event.value("id", json()) == 4710);
  }
  if (!answered) result.faults.push_back("the next request is not answered");
  place.restore();
  return result;
}

std::string command_line_of(const std::vector<std::string>& arguments) {
  return fmt::format("ladimo {}", fmt::join(arguments, " "));
}

/// What ended in the same way, with one example. Numbers are left out, so that one kind has one entry.
struct Tally {
  int count = 0;
  std::string example;
};

std::string without_numbers(const std::string& text) {
  std::string kind;
  for (const char c : text.substr(0, text.find('\n')).substr(0, 200))
    if (!std::isdigit(static_cast<unsigned char>(c)))
      kind += c;
    else if (!kind.ends_with('#'))
      kind += '#';
  return kind;
}

class Report {
 public:
  void add(const std::string& subject, int index, const Case& c) {
    ++statuses_[subject][std::clamp(c.ended.status, -1, 3)];
    seconds_[subject] += c.ended.seconds;
    peak_ = std::max(peak_, c.ended.peak_bytes);
    const std::string example =
        fmt::format("--only {} --case {}: {}\n      {}\n      {}", subject, index, c.mutation,
                    command_line_of(c.arguments), c.ended.err.substr(0, 600));
    for (const std::string& fault : c.faults)
      note(faults_[without_numbers(fault + " | " + c.ended.err)], example);
    if (c.ended.status == 1) note(failures_[without_numbers(c.ended.err)], example);
  }

  void print(std::uint64_t seed) const {
    for (const auto& [subject, statuses] : statuses_) {
      int calls = 0;
      for (const auto& [status, count] : statuses) calls += count;
      fmt::print("{:<8}  {} calls in {:.1f} s:", subject, calls, seconds_.at(subject));
      for (const auto& [status, count] : statuses) fmt::print("  status {}: {}", status, count);
      fmt::print("\n");
    }
    fmt::print("largest: {}\n", format_bytes(static_cast<double>(peak_)));
    print("Failed while running (status 1)", failures_);
    print("Faults", faults_);
    fmt::print("{} kinds of faults with seed {}\n", faults_.size(), seed);
  }
  bool clean() const { return faults_.empty(); }

 private:
  using Tallies = std::map<std::string, Tally>;

  static void note(Tally& tally, const std::string& example) {
    if (tally.count++ == 0) tally.example = example;
  }
  static void print(const char* title, const Tallies& tallies) {
    if (tallies.empty()) return;
    fmt::print("\n{}:\n", title);
    for (const auto& [key, tally] : tallies)
      fmt::print("  {} x {}\n    {}\n", tally.count, key, tally.example);
  }

  std::map<std::string, std::map<int, int>> statuses_;
  std::map<std::string, double> seconds_;
  std::uint64_t peak_ = 0;
  Tallies failures_, faults_;
};

Case damage(Place& place, const Subject& subject, std::uint64_t seed, int index) {
  Random random(seed, subject.name, static_cast<std::uint64_t>(index));
  return subject.files.empty() ? damage_request(place, random) : damage_file(place, subject, random);
}

/// Else commands would be refused whatever is damaged, and show nothing.
void require_undamaged_works(Place& place, const Subject& subject) {
  for (auto arguments : subject.commands) {
    arguments.insert(arguments.end(), {"--threads", "1"});
    const Ended ended = forked_call(arguments, {}, {});
    if (ended.status != 0) throw std::runtime_error(command_line_of(arguments) + "\n" + ended.err);
    place.restore();
  }
}

void print_in_full(const Case& c) {
  fmt::print("{}\n{}\nstatus {}, signal {}, {:.2f} s, {}\nstdout: {}\nstderr: {}\n", c.mutation,
             command_line_of(c.arguments), c.ended.status, c.ended.signal, c.ended.seconds,
             format_bytes(static_cast<double>(c.ended.peak_bytes)), c.ended.out.substr(0, 2000), c.ended.err);
  for (const std::string& fault : c.faults) fmt::print("fault: {}\n", fault);
}

}  // namespace

int main(int argc, char** argv) {
  int count = 20, single = -1;
  std::uint64_t seed = 0;
  std::vector<std::string> only;
  CLI::App app("Damages every file that the program reads and checks how each command ends.");
  app.add_option("--count", count, "Mutations per kind of input (20)");
  app.add_option("--seed", seed, "Decides every mutation (0)");
  app.add_option("--only", only,
                 "Kinds of input: model, sharded, gguf, native, run, policy, tasks, text, recipe, serve");
  app.add_option("--case", single, "The mutation of this number alone, with all that was said");
  CLI11_PARSE(app, argc, argv);
  try {
    Place place;
    Report report;
    for (const Subject& subject : place.subjects()) {
      if (!only.empty() && std::ranges::find(only, subject.name) == only.end()) continue;
      if (single < 0) require_undamaged_works(place, subject);
      for (int i = single < 0 ? 0 : single; i < (single < 0 ? count : single + 1); ++i) {
        const Case c = damage(place, subject, seed, i);
        if (single >= 0) print_in_full(c);
        report.add(subject.name, i, c);
      }
    }
    report.print(seed);
    return report.clean() ? 0 : 1;
  } catch (const std::exception& failure) {
    fmt::print("{}\n", failure.what());
    return 1;
  }
}
