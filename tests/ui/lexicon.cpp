#include "ui/engine/lexicon.h"

#include <doctest/doctest.h>

using namespace ladimo;
using ladimo::ui::in_window_words;

namespace {

template <class Id>
void check_word(Id id) {
  const std::string braced = '{' + std::string(id_of(id)) + '}';
  CAPTURE(braced);
  const QString word = in_window_words(braced);
  CHECK_FALSE(word.isEmpty());
  for (const char* foreign : {"{", "}", "&", "--", "`"}) CHECK_FALSE(word.contains(foreign));
}

}  // namespace

TEST_CASE("every setting and every action of the core has a name in the window") {
  for (int i = 0; i < setting_count; ++i) check_word(static_cast<Setting>(i));
  for (int i = 0; i < action_count; ++i) check_word(static_cast<Action>(i));
}

TEST_CASE("hints name the fields of the window and where an action is found") {
  const std::pair<const char*, const char*> told[] = {
      {"Take fewer calibration tokens ({tokens}), or close other programs.",
       "Take fewer calibration tokens (“Calibration tokens”), or close other programs."},
      {"Name files with {text}, or let the model write: {self_text}.",
       "Name files with “Text files of mine”, or let the model write: “The model writes its own text”."},
      {"Set {held_out_tokens} to 512 or more, or use a smaller {window}.",
       "Set “Held-out tokens” to 512 or more, or use a smaller “Tokens per window”."},
      {"Name one with {run}.", "Name one with “Written to”."},
      {"Name the place where it is now with {dense}.",
       "Name the place where it is now with “Dense original”."},
      {"Export with {all_policies}.", "Export with all policies."},
      {"Let {fit} make the nearest model that it has, or choose {format} native.",
       "Let “Fit the layers to the format” make the nearest model that it has, or choose “Format” native."},
      {"Convert for another with {for}.", "Convert for another with “Made for”."},
      {"Write it in another {gguf}.", "Write it in another “Precision”."},
      {"To finish the run, {continue_run}.", "To finish the run, continue the conversion."},
      {"Make one: {choose_policy}.", "Make one: choose one with the slider."},
      {"Write {\"a\": 1}.", "Write {\"a\": 1}."},
      {"", ""}};
  for (const auto& [hint, words] : told) CHECK(in_window_words(hint).toStdString() == words);
}
