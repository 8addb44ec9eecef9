#include "ui/engine/window_words.h"

#include <doctest/doctest.h>

using ladimo::ui::in_window_words;

TEST_CASE("advice names what the window shows, not options of the command line") {
  const std::pair<const char*, const char*> told[] = {
      {"Take fewer calibration tokens (--tokens), or close other programs.",
       "Take fewer calibration tokens, or close other programs."},
      {"Share more experts (--shared), or use fewer, larger ones (--experts).",
       "Share more experts, or use fewer, larger ones."},
      {"Name files with --text, or let the model write: --text self.",
       "Name files with “Text files of mine”, or let the model write: “The model writes its own text”."},
      {"Give text of yours with --text FILE.", "Give text of yours with “Text files of mine”."},
      {"Give --held-out-tokens 512 or more, or a smaller --window.",
       "Give “Held-out tokens” 512 or more, or a smaller “Tokens per window”."},
      {"Choose a folder of your own with -o.", "Choose a folder of your own."},
      {"Name one with -o RUN.", "Name one."},
      {"Give the run's own settings, name another folder with -o, or remove this one.",
       "Give the run's own settings, name another folder, or remove this one."},
      {"Name the folder where it is now with --dense MODEL.", "Name the folder where it is now."},
      {"Name the dense original with --dense MODEL, or export with --all-policies.",
       "Name the dense original, or export with “all policies”."},
      {"Continue it: give the same `ladimo convert` command again.", "Continue the conversion."},
      {"Run `ladimo convert` again: it makes the layer anew.",
       "Continue the conversion: it makes the layer anew."},
      {"Make one: ladimo policy /a/run --activated 0.8", "Choose one with the slider."},
      {"Make one for this run with `ladimo policy`.", "Make one for this run with the slider."},
      {"Make one: ladimo convert MODEL -o RUN --text FILE.", "Make one: File ▸ New conversion."},
      {"", ""}};
  for (const auto& [advice, words] : told) CHECK(in_window_words(advice).toStdString() == words);
}
