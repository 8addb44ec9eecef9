// Plain text made at run time, with enough words in many documents to calibrate a pico model.
#pragma once

#include <filesystem>
#include <string>

#include "base/files.h"
#include "base/random.h"

namespace ladimo::testing {

inline void write_text(const std::filesystem::path& file, int documents, std::uint64_t seed = 0) {
  static const char* const words[] = {"the",  "cat", "dog",  "sat",  "on",    "a",    "mat",   "and",
                                      "saw",  "big", "red",  "ball", "under", "tree", "with",  "Lily",
                                      "who",  "ran", "to",   "her",  "mom",   "sun",  "house", "was",
                                      "very", "old", "said", "yes",  "no",    "then"};
  Random random(seed, "text");
  std::string text;
  for (int document = 0; document < documents; ++document) {
    for (int word = 0; word < 60; ++word)
      text += std::string(word > 0 ? " " : "") + words[random.below(std::size(words))];
    text += ".\n\n";
  }
  write_file(file, text);
}

}  // namespace ladimo::testing
