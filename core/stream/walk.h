// The one pass of a residual stream through the layers. Capture, evaluation, profile, sensitivity, finish and
// sweep all use it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/context.h"
#include "model/branching_text.h"
#include "model/decoder_layer.h"
#include "stream/residual_stream.h"

namespace ladimo {

using FeedForwards = std::vector<std::shared_ptr<const FeedForward>>;

/// Some windows at one layer.
struct LayerChunk {
  std::int64_t layer = 0;
  std::int64_t begin = 0, end = 0;  // windows
  at::Tensor x;                     // [(end - begin) * positions, d] input of the FFN
  at::Tensor y;                     // [(end - begin) * positions, d] output of the FFN
  AttentionInputs attention = {};   // [end - begin, positions, ...]
  at::Tensor hidden = {};  // [(end - begin) * positions, f] the neurons of a dense FFN, else undefined
  const DecoderLayer* weights = nullptr;

  /// The inputs of one of the layer's products: [(end - begin) * positions, n].
  at::Tensor inputs(Product product) const;
};

/// One layer of a model that branches from the walking one.
struct BranchLayer {
  std::shared_ptr<const FeedForward> ffn;     // null where it is the walking model's
  double qkv_threshold = 0, o_threshold = 0;  // of AttentionCuts
};

/// What ran in a layer of a branch, for some windows.
struct BranchRun {
  const FfnOutput& ffn;
  const AttentionInputs& attention;  // undefined tensors where the walking model's attention was shared
};

/// Models that differ from the walking one in some of their layers. Such a model shares the walking model's
/// residual stream up to the first layer that differs, and has a stream of its own from there on.
struct Branches {
  /// For every model the first layer that differs, or the number of layers where none differs.
  std::vector<std::int64_t> first_layer;
  /// One layer in every model.
  std::function<std::vector<BranchLayer>(int layer)> layers;
  /// Called after a model's layer has run on a chunk. Calls for different models may be concurrent; those for
  /// one model come in window order.
  std::function<void(std::int64_t layer, std::size_t model, const BranchRun& run)> ran;
};

/// How to walk, and what a caller wants to see on the way. Everything but `layers` may be left out.
struct Walk {
  /// Layers to pass: 0 ... layers - 1.
  std::int64_t layers = 0;
  /// Gives a layer. By default it is loaded from the source when the walk reaches it and dropped afterwards.
  std::function<DecoderLayer(std::int64_t layer)> load;
  /// How many windows are computed together; 0 means as many as chunk_windows() says. A walk is
  /// differentiable only when all windows are computed together.
  std::int64_t together = 0;
  /// The texts whose rows the stream holds, one text after another, where they branch. A window is then one
  /// row, and as many whole texts are computed together as chunk_rows() says. Texts whose rotary frequencies
  /// differ must not be neighbours of the same chunk, so the caller sorts them.
  const std::vector<BranchingText>* texts = nullptr;
  const Branches* branches = nullptr;
  /// Receives the stream before each layer. Null means that the stream is overwritten layer by layer.
  std::vector<ResidualStream>* inputs = nullptr;
  /// Called before a layer.
  std::function<void(std::int64_t layer, const DecoderLayer& weights)> enter;
  /// Called for every chunk of a layer, in window order.
  std::function<void(const LayerChunk& chunk)> see;
  /// Called when all windows have passed the layer's attention, but none has passed its FFN. Returns the FFN
  /// of every window, or nothing where all windows use the layer's own.
  std::function<FeedForwards(std::int64_t layer, const DecoderLayer& weights)> deal;
  /// Called after a layer with its weights, which the callee may keep.
  std::function<void(std::int64_t layer, DecoderLayer weights)> leave;
  /// Called with the number of windows that have passed a layer, counted over all models.
  std::function<void(std::int64_t windows)> passed;
};

/// Takes `stream` through the layers. Memory: one layer, one chunk of windows (chunk_windows). Returns the
/// streams of the branches; undefined where a model never left the walking model's stream. Throws
/// Interrupted.
std::vector<ResidualStream> walk(const WeightSource& source, ResidualStream& stream, const Walk& how,
                                 const Context& context);

/// Takes h [n, W, d] fp32, the residual stream before the first of some layers, through all of them and
/// returns it. Differentiable with respect to h and to what `load` gives.
at::Tensor walk_together(const WeightSource& source, const at::Tensor& h, std::int64_t layers,
                         std::function<DecoderLayer(std::int64_t layer)> load);

/// One layer in reverse.
struct BackwardChunk {
  LayerChunk forward;
  at::Tensor gradient;  // [(end - begin) * positions, d] with respect to y, the output of the FFN
  /// With respect to the inputs of every product: what an input adds to the number is its value times this,
  /// to first order. [(end - begin) * positions, n] fp32; undefined for neurons of an FFN that is not dense.
  std::array<at::Tensor, all_products.size()> input_gradients;
};

/// Differentiates a number with respect to the stream, from the last layer of the dense model back to the
/// first. `inputs[l]` is the stream before layer l. `gradient` (fp32) holds the gradient after the last
/// layer; at the end it holds the one before layer 0. Each layer is computed again and differentiated.
/// Memory: one layer, and one chunk of windows with its activations; every entry of `inputs` is dropped after
/// its use.
void walk_back(const WeightSource& source, std::vector<ResidualStream> inputs, ResidualStream& gradient,
               const std::function<void(const BackwardChunk& chunk)>& see,
               const std::function<void(std::int64_t windows)>& passed, const Context& context);

}  // namespace ladimo
