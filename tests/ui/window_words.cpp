#include "ui/engine/window_words.h"

#include <doctest/doctest.h>

using ladimo::ui::in_window_words;

TEST_CASE("advice names what the wizard shows, not options of the command line") {
  const std::pair<const char*, const char*> told[] = {
      {"Take fewer calibration tokens (--tokens), or close other programs.",
       "Take fewer calibration tokens, or close other programs."},
      {"Share more experts (--shared), or use fewer, larger ones (--experts).",
       "Share more experts, or use fewer, larger ones."},
      {"Name files with --text, or let the model write: --text self.",
       "Name files with “Text files of mine”, or let the model write: “The model writes its own text”."},
      {"Give --held-out-tokens 512 or more, or a smaller --window.",
       "Give “Held-out tokens” 512 or more, or a smaller “Tokens per window”."},
      {"Choose a folder of your own with -o.", "Choose a folder of your own."},
      {"Name one with -o RUN.", "Name one."},
      {"Give the run's own settings, name another folder with -o, or remove this one.",
       "Give the run's own settings, name another folder, or remove this one."},
      {"Name the original with --dense MODEL.", "Name the original with --dense MODEL."},
      {"", ""}};
  for (const auto& [advice, words] : told) CHECK(in_window_words(advice) == words);
}
