// How the rotary embedding of a model trained on short texts is stretched for longer ones (rope_scaling or
// rope_parameters of Hugging Face transformers).
#pragma once

#include <cstdint>
#include <vector>

namespace ladimo {

struct RopeScaling {
  enum class Kind { none, linear, llama3, dynamic, yarn, longrope };
  Kind kind = Kind::none;
  double factor = 1;                    // of the positions; longrope has none
  double low_frequency_factor = 1;      // llama3
  double high_frequency_factor = 4;     // llama3
  std::int64_t original_positions = 0;  // before stretching; none and linear do not use it
  double attention_factor = 1;          // yarn, longrope: multiplies cos and sin
  double beta_fast = 32;                // yarn: turns over the original positions beyond which a wave is kept
  double beta_slow = 1;                 // yarn: turns below which a wave is stretched in full
  bool truncate = true;                 // yarn: the dimensions between these two are rounded outwards
  std::vector<double> short_factors = {};  // longrope: of the wavelengths of texts up to original_positions
  std::vector<double> long_factors = {};   // longrope: of those of longer texts; both [rotary_dim / 2]
};

}  // namespace ladimo
