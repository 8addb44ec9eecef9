// The one walk through the layers: capture, evaluation, profile, sensitivity, finish and sweep all take it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/context.h"
#include "model/decoder_layer.h"
#include "stream/residual_stream.h"

namespace ladimo {

using FeedForwards = std::vector<std::shared_ptr<const FeedForward>>;

/// Some windows at one layer.
struct LayerChunk {
  std::int64_t layer = 0;
  std::int64_t begin = 0, end = 0;  // windows
  at::Tensor x;                     // [(end - begin) * positions, d] what the FFN sees
  at::Tensor y;                     // the same shape: what it makes of that
};

/// Models that differ from the one that walks in some of their FFNs. They share its residual stream up to
/// their first such layer, and have one of their own from there on.
struct Branches {
  /// Per model the first layer with another FFN; the number of layers where there is none.
  std::vector<std::int64_t> first_layer;
  /// The FFN of one layer in every model; null where it is the walking model's.
  std::function<FeedForwards(int layer)> ffns;
  /// Told what a model's FFN says of a chunk. Models are told of side by side, each in window order.
  std::function<void(std::int64_t layer, std::size_t model, const FfnOutput& output)> ran;
};

/// How to walk, and what is wanted on the way. What is left out is not done.
struct Walk {
  /// Layers to pass: 0 ... layers - 1.
  std::int64_t layers = 0;
  /// Where a layer comes from; left out: loaded from the source when the walk comes to it, dropped
  /// afterwards.
  std::function<DecoderLayer(std::int64_t layer)> load;
  /// Windows that are computed together; 0: as many as chunk_windows() says. Autograd sees through a walk
  /// whose windows are all computed together.
  std::int64_t together = 0;
  const Branches* branches = nullptr;
  /// Where the stream before each layer is kept; null: it is overwritten layer by layer.
  std::vector<ResidualStream>* inputs = nullptr;
  /// Before a layer.
  std::function<void(std::int64_t layer, const DecoderLayer& weights)> enter;
  /// Every chunk of a layer, in window order.
  std::function<void(const LayerChunk& chunk)> see;
  /// After the attention of all windows and before any FFN: the FFN of every window, where it is another than
  /// the layer's own; empty: the layer's own for all.
  std::function<FeedForwards(std::int64_t layer, const DecoderLayer& weights)> deal;
  /// After a layer.
  std::function<void(std::int64_t layer, const DecoderLayer& weights)> leave;
  /// Told how many windows have passed a layer, of all models together.
  std::function<void(std::int64_t windows)> passed;
};

/// Takes `stream` through the layers. Memory: one layer, one chunk of windows (chunk_windows). Returns the
/// branches' own streams; undefined where a model never left the walking one's. Throws Interrupted.
std::vector<ResidualStream> walk(const WeightSource& source, ResidualStream& stream, const Walk& how,
                                 const Context& context);

/// One layer in reverse.
struct BackwardChunk {
  LayerChunk forward;
  at::Tensor gradient;  // [(end - begin) * positions, d] with respect to the layer's output, and so to y
};

/// The walk in reverse, through the dense model: `inputs[l]` is the stream before layer l, `gradient` (fp32)
/// that of a number with respect to the stream after the last layer, replaced by the one before layer 0. Each
/// layer is computed anew and differentiated. Memory: one layer, one chunk of windows with its activations;
/// `inputs` are dropped as they are used.
void walk_back(const WeightSource& source, std::vector<ResidualStream> inputs, ResidualStream& gradient,
               const std::function<void(const BackwardChunk& chunk)>& see,
               const std::function<void(std::int64_t windows)>& passed, const Context& context);

}  // namespace ladimo
