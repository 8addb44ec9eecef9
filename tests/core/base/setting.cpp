#include "base/setting.h"

#include <filesystem>
#include <regex>
#include <set>

#include <doctest/doctest.h>

#include "base/files.h"

using namespace ladimo;
namespace fs = std::filesystem;

namespace {

bool is_id(std::string_view id) {
  for (int i = 0; i < action_count; ++i)
    if (id == id_of(static_cast<Action>(i))) return true;
  return setting_with_id(id).has_value();
}

/// Every text between quotation marks in the sources of core and the command line, comments left out.
std::vector<std::pair<std::string, std::string>> literals() {
  static const std::regex piece(R"re(//[^\n]*|'(?:[^'\\\n]|\\.)'|"((?:[^"\\\n]|\\.)*)")re");
  std::vector<std::pair<std::string, std::string>> found;
  for (const char* room : {"core", "app/cli"})
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(LADIMO_SOURCE) / room)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
      const std::string source = read_file(entry.path());
      for (std::sregex_iterator at(source.begin(), source.end(), piece), end; at != end; ++at)
        if ((*at)[1].matched) found.emplace_back(entry.path().filename().string(), (*at)[1].str());
    }
  return found;
}

}  // namespace

TEST_CASE("ids in braces are replaced by the words of a surface, other braces stay") {
  const auto said = [](const char* hint) { return in_words(hint, command_line()); };
  CHECK(said("Use fewer calibration tokens ({tokens}), or close other programs.") ==
        "Use fewer calibration tokens (--tokens), or close other programs.");
  CHECK(said("Make one: {choose_policy}.") == "Make one: run `ladimo policy RUN --activated 0.8`.");
  CHECK(said("{shared}{experts}") == "--shared--experts");
  for (const char* plain : {"", "Nothing.", R"(Like {"text": "..."}.)", "{", "}{", "{tokenz}", "{{}"})
    CHECK(said(plain) == plain);
  CHECK(said("{{tokens}") == "{--tokens");
  const Lexicon window{[](Setting) { return "“A field”"; }, [](Action) { return "press the button"; }};
  CHECK(in_words("Give {window} 2, or {continue_run}.", window) == "Give “A field” 2, or press the button.");
}

TEST_CASE("a hint is about the first setting that it names") {
  CHECK(setting_in("Give {shared} less than {experts}.") == Setting::shared);
  CHECK(setting_in("{continue_run}, or choose another folder with {run}.") == Setting::run);
  CHECK_FALSE(setting_in("{inspect_model}"));
  CHECK_FALSE(setting_in("Use {less}."));
}

TEST_CASE("every setting and action has an id of its own") {
  std::set<std::string> ids;
  for (int i = 0; i < setting_count; ++i) ids.insert(id_of(static_cast<Setting>(i)));
  for (int i = 0; i < action_count; ++i) ids.insert(id_of(static_cast<Action>(i)));
  CHECK(ids.size() == setting_count + action_count);
}

TEST_CASE("every word in braces in the sources that looks like an id is one") {
  const std::regex braces(R"re(\{([a-z_]{2,})\})re");
  int seen = 0;
  for (const auto& [file, text] : literals())
    for (std::sregex_iterator at(text.begin(), text.end(), braces), end; at != end; ++at, ++seen)
      CHECK_MESSAGE(is_id((*at)[1].str()), file, ": ", text);
  CHECK(seen > 50);
}

TEST_CASE("sentences name settings and actions by id, not by the spelling of an option or command") {
  // Files whose sentences appear only on the command line or in the card of an exported model.
  const std::set<std::string> own = {"setting.cpp", "model_card.cpp", "program.cpp", "convert.cpp",
                                     "engine_main.cpp"};
  const std::regex option(R"re((^|[ (])(--[a-z]|-o\b)|`ladimo)re");
  for (const auto& [file, text] : literals()) {
    const bool sentence = text.find(' ') != std::string::npos;
    if (sentence && !own.contains(file)) CHECK_MESSAGE(!std::regex_search(text, option), file, ": ", text);
  }
}
