// The parts of attention that every way to lay out texts shares.
#pragma once

#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>

#include "model/decoder_layer.h"

namespace ladimo {

struct Projected {
  at::Tensor queries;       // [B, heads, W, head_dim], turned
  at::Tensor keys, values;  // [B, kv_heads, W, head_dim], keys turned
};

/// Queries, keys and values of hidden states h [B, W, d]. Row w turns by row `start` + w of the tables. Sets
/// `inputs.qkv` to what the projections were multiplied with.
Projected project(const DecoderLayer& layer, const at::Tensor& h, const Rotary::Tables& turns,
                  std::int64_t start, const AttentionCuts& cuts, AttentionInputs& inputs);

/// The keys that some queries of some sequences can see.
struct Seen {
  std::int64_t key = 0, keys = 0;  // the first and the number of those that any of them sees
  /// Which of them are not seen: bool [1 or sequences, queries, keys]. Undefined: all are seen.
  at::Tensor hidden;
};

/// Says what `queries` queries from `query` on see, of `sequences` sequences from `sequence` on.
using See = std::function<Seen(std::int64_t query, std::int64_t queries, std::int64_t sequence,
                               std::int64_t sequences)>;

/// softmax(scale q k) v over what is seen: q [B, heads, W, D], k and v [B, kv_heads, n, D] -> [B, W,
/// heads * D]. Scores are computed in chunks, so memory stays bounded.
at::Tensor attend_in_chunks(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                            const See& see);

}  // namespace ladimo
