// Damages chat templates and conversations, and renders them, many thousand a second: nothing here needs a
// process of its own. Each must give a text or a Refusal with a sentence and a hint, in bounded time.
//   ladimo_mutate_chat_template SECONDS SEED [FOLDER of templates]...
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json_text.h"
#include "base/utf8.h"
#include "mutation.h"
#include "text/chat_template.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

constexpr double longest = 10;  // seconds of processor time of one rendering; a good one takes a millisecond

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<std::string> templates_in(const std::vector<fs::path>& folders) {
  std::vector<std::string> sources;
  for (const fs::path& folder : folders)
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".jinja") sources.push_back(read_file(entry.path()));
  return sources;
}

/// A tag of a template, from its opening to the next one.
std::string some_tag(const std::string& source, Random& random) {
  const auto begin = source.find('{', random.below(source.size()));
  if (begin == source.npos) return source.substr(0, 20);
  return source.substr(begin, source.find('{', begin + 2) - begin);
}

/// A template with damage: in its bytes, or tags of others in odd places.
std::string damaged(const std::vector<std::string>& sources, Random& random) {
  std::string source = sources[random.below(sources.size())];
  if (random.below(3) == 0) return mutated("template.jinja", source, random).bytes.value_or("");
  for (std::size_t i = 0; i <= random.below(4); ++i) {
    const auto at = source.find('{', random.below(source.size()));
    const std::string tag = some_tag(sources[random.below(sources.size())], random);
    const std::size_t place = at == source.npos ? source.size() : at;
    const std::size_t taken =
        random.below(2) == 0 ? 0 : std::min<std::size_t>(random.below(40), source.size() - place);
    source.replace(place, taken, tag);
  }
  return source;
}

/// The conversations of the tests, each a line, some of them damaged.
std::string damaged_line(const std::vector<std::string>& lines, Random& random) {
  const std::string& line = lines[random.below(lines.size())];
  return random.below(2) == 0 ? line : mutated_line(line, random).bytes.value_or("");
}

bool is_sentence(const Refusal& refusal) {
  const Problem& problem = refusal.problem();
  const bool ends =
      problem.message.ends_with('.') || problem.message.ends_with('?') || problem.message.ends_with('!');
  return ends && !problem.hint.empty() && !find_invalid_utf8(problem.message) &&
         problem.message.size() < 1000;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: ladimo_mutate_chat_template SECONDS SEED [FOLDER]...\n";
    return 2;
  }
  const fs::path own = fs::path(LADIMO_TEST_DATA) / "chat_templates";
  std::vector<fs::path> folders{own};
  for (int i = 3; i < argc; ++i) folders.emplace_back(argv[i]);
  const auto sources = templates_in(folders);
  std::vector<std::string> lines;
  for (const auto& conversation : nlohmann::ordered_json::parse(read_file(own / "conversations.json")))
    lines.push_back(conversation.dump());
  const auto start = Clock::now();
  const double seconds = std::atof(argv[1]);
  std::uint64_t count = 0, rendered = 0, faults = 0;
  for (std::uint64_t seed = std::strtoull(argv[2], nullptr, 10); seconds_since(start) < seconds;
       ++seed, ++count) {
    Random random(seed, "chat");
    const std::string source = damaged(sources, random), line = damaged_line(lines, random);
    const std::clock_t begin = std::clock();
    try {
      const ChatTemplate chat(ModelFiles(
          "model", {{"chat_template.jinja", source}, {"tokenizer_config.json", R"({"bos_token": "<s>"})"}}));
      if (chat.problem()) throw Refusal(*chat.problem());
      const auto conversation = conversation_in(parse_ordered_json(line, "The line", "a.jsonl"));
      if (!conversation.is_null() && !find_invalid_utf8(chat.render(conversation))) ++rendered;
    } catch (const Refusal& refusal) {
      if (!is_sentence(refusal)) {
        fmt::print("seed {}: no sentence: {}\n", seed, refusal.what());
        ++faults;
      }
    } catch (const std::exception& failure) {
      fmt::print("seed {}: {}\n", seed, failure.what());
      ++faults;
    }
    if (const double took = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC; took > longest) {
      fmt::print("seed {}: it takes {:.1f} s\n", seed, took);
      ++faults;
    }
  }
  fmt::print("{} templates and conversations: {} rendered, {} faults\n", count, rendered, faults);
  return faults > 0 ? 1 : 0;
}
