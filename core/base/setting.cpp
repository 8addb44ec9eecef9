#include "base/setting.h"

#include <iterator>
#include <utility>
#include <variant>

namespace ladimo {
namespace {

/// A setting or action. The tables of terms have the order of the enumerators.
struct Term {
  const char* id;
  const char* command_line;
};

constexpr Term settings[] = {
    {"model", "MODEL"},
    {"run", "-o"},
    {"text", "--text"},
    {"self_text", "--text self"},
    {"tokens", "--tokens"},
    {"held_out_tokens", "--held-out-tokens"},
    {"window", "--window"},
    {"experts", "--experts"},
    {"shared", "--shared"},
    {"layers", "--layers"},
    {"for", "--for"},
    {"sensitivity", "--sensitivity"},
    {"recipe", "--recipe"},
    {"sample", "--sample"},
    {"seed", "--seed"},
    {"threads", "--threads"},
    {"device", "--device"},
    {"memory", "--memory"},
    {"policy", "--policy"},
    {"dense", "--dense"},
    {"run_text", "--run-text"},
    {"output", "-o"},
    {"tradeoff", "--tradeoff"},
    {"activated", "--activated"},
    {"ffn_activated", "--ffn-activated"},
    {"max_kl", "--max-kl"},
    {"speedup", "--speedup"},
    {"cost", "--cost"},
    {"pin", "--pin"},
    {"batch", "--batch"},
    {"context", "--context"},
    {"prompt", "--prompt"},
    {"max_tokens", "--max-tokens"},
    {"temperature", "--temperature"},
    {"hold", "--hold"},
    {"format", "--format"},
    {"gguf", "--gguf"},
    {"fit", "--fit"},
    {"finish", "--finish"},
    {"all_policies", "--all-policies"},
    {"methods", "--methods"},
    {"seeds", "--seeds"},
    {"held_out", "--held-out"},
    {"keep", "--keep"},
    {"csv", "--csv"},
};
static_assert(std::size(settings) == setting_count);

constexpr Term actions[] = {
    {"continue_run", "run the same `ladimo convert` command again"},
    {"new_conversion", "run `ladimo convert MODEL -o RUN --text FILE`"},
    {"choose_policy", "run `ladimo policy RUN --activated 0.8`"},
    {"inspect_model", "run `ladimo inspect MODEL`"},
    {"export_again", "run `ladimo export` again"},
};
static_assert(std::size(actions) == action_count);

using Named = std::variant<Setting, Action>;

template <class Id, std::size_t N>
std::optional<Id> find(const Term (&terms)[N], std::string_view id) {
  for (std::size_t i = 0; i < N; ++i)
    if (id == terms[i].id) return static_cast<Id>(i);
  return {};
}

/// A stretch of a hint: plain text, and the id in braces that follows it, if any.
struct Stretch {
  std::string_view text;
  std::optional<Named> named;
};

/// Removes the next stretch from the beginning of `rest` and returns it.
Stretch next(std::string_view& rest) {
  for (auto open = rest.find('{'); open != std::string_view::npos; open = rest.find('{', open + 1)) {
    const auto close = rest.find('}', open);
    if (close == std::string_view::npos) break;
    const auto id = rest.substr(open + 1, close - open - 1);
    std::optional<Named> named;
    if (const auto setting = setting_with_id(id)) named = *setting;
    if (const auto action = find<Action>(actions, id)) named = *action;
    if (!named) continue;
    const Stretch stretch{rest.substr(0, open), named};
    rest.remove_prefix(close + 1);
    return stretch;
  }
  return {std::exchange(rest, {}), {}};
}

}  // namespace

const char* id_of(Setting setting) { return settings[static_cast<std::size_t>(setting)].id; }
const char* id_of(Action action) { return actions[static_cast<std::size_t>(action)].id; }

std::optional<Setting> setting_with_id(std::string_view id) { return find<Setting>(settings, id); }

const Lexicon& command_line() {
  static const Lexicon lexicon{
      [](Setting setting) { return settings[static_cast<std::size_t>(setting)].command_line; },
      [](Action action) { return actions[static_cast<std::size_t>(action)].command_line; }};
  return lexicon;
}

std::string in_words(std::string_view hint, const Lexicon& lexicon) {
  std::string words;
  while (!hint.empty()) {
    const Stretch stretch = next(hint);
    words += stretch.text;
    if (!stretch.named) continue;
    const auto* setting = std::get_if<Setting>(&*stretch.named);
    words +=
        setting != nullptr ? lexicon.setting(*setting) : lexicon.action(std::get<Action>(*stretch.named));
  }
  return words;
}

std::optional<Setting> setting_in(std::string_view hint) {
  while (!hint.empty()) {
    const Stretch stretch = next(hint);
    if (stretch.named)
      if (const auto* setting = std::get_if<Setting>(&*stretch.named)) return *setting;
  }
  return {};
}

}  // namespace ladimo
