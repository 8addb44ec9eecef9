// Texts that begin alike, computed as one: their common beginning once, then what each has of its own.
#pragma once

#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "model/decoder_layer.h"

namespace ladimo {

/// Rows of hidden states: first those of the common beginning, then those of each branch. A row sees the
/// beginning and what comes before it in its own branch, as if every branch were a text of its own.
struct BranchingText {
  std::int64_t stem = 0;               // rows of the common beginning, at least one
  std::vector<std::int64_t> branches;  // rows of each branch, 0 or more
  /// Tokens of the longest text, with those that have no row. Where the rotary frequencies depend on the
  /// length of a text, all rows turn with those of this length.
  std::int64_t length = 0;

  std::int64_t rows() const { return std::accumulate(branches.begin(), branches.end(), stem); }
};

/// As DecoderLayer::attend, for texts that branch, whose rows h [N, ..., d] follow one another. Throws
/// Refusal beyond the model's last position. Precondition: ModelConfig::longest_alike() is the same for all
/// lengths.
at::Tensor attend(const DecoderLayer& layer, const at::Tensor& h, const Rotary& rotary,
                  std::span<const BranchingText> texts, const AttentionCuts& cuts, AttentionInputs& inputs);

}  // namespace ladimo
