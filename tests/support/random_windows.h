// Windows of random tokens, the same on every run.
#pragma once

#include <cstdint>

#include "base/random.h"
#include "text/corpus.h"

namespace ladimo::testing {

/// `count` windows of 16 tokens of the demo's tokenizer, each beginning with its BOS, from one file.
inline Windows random_windows(int count, std::uint64_t seed) {
  Windows windows{16, {}, {}};
  Random random(seed);
  for (int w = 0; w < count; ++w) {
    windows.source.push_back(0);
    windows.tokens.push_back(1);
    for (int i = 1; i < 16; ++i) windows.tokens.push_back(static_cast<std::int32_t>(random.below(4096)));
  }
  return windows;
}

}  // namespace ladimo::testing
