// What one thread of the decoding engine has for itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "decode/decoding_engine.h"

namespace ladimo {

/// A run of neurons or of other inputs, and the tokens that take part in it.
struct InputRun {
  const PanelMatrix* matrix;
  Range inputs;
  std::span<const std::int32_t> tokens;
};

struct DecodingEngine::Desk {
  static constexpr std::int64_t few_rows = 8;  // every thread norms these itself, which saves a meeting
  static constexpr std::int64_t most_scores = 1 << 19;  // what a core keeps near itself
  static constexpr std::int64_t most_queries = 64;

  std::vector<float> x;                               // [few_rows, d + 1]
  std::vector<float> sums;                            // [rows, widest_panel]
  std::vector<const float*> from;                     // [rows] inputs of a product
  std::vector<float*> to;                             // [rows] its outputs
  std::vector<float*> normed;                         // [rows]
  std::vector<const float*> hidden;                   // [rows] the neurons
  std::vector<std::int32_t> inputs;                   // [few_rows, inputs] numbers of those that are read
  std::vector<std::span<const std::int32_t>> chosen;  // [few_rows] of every row, in `inputs`
  std::vector<const float*> attending;                // [group * most_queries] queries, then scores
  std::vector<float*> attended;                       // [group * most_queries]
  std::vector<float> scores;                          // of attention
  std::shared_ptr<std::byte> room;                    // of attention in tiles
  std::size_t room_bytes = 0;
  std::vector<std::int64_t> seen_from, seen_to;  // [group * most_queries] keys that a query sees
  std::vector<float> keys;                       // [head_dim, widest_panel]
  std::vector<float> values;                     // [widest_panel, head_dim] and what kernels read beyond
  ExpertTokens tokens;
  bool takes_all_neurons = false;    // the down projection of the layer at hand
  std::vector<std::int32_t> all;     // 0, 1, 2 ... : every token
  std::vector<std::int64_t> blocks;  // of gate and up, this thread's
  std::vector<InputRun> runs;        // of the down projection

  std::span<const std::int32_t> every(std::int64_t rows) const {
    return {all.data(), static_cast<std::size_t>(rows)};
  }
};

}  // namespace ladimo
