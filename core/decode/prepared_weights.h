// The parts of a model as decoding reads them (kernels/panels.h). Biases are one more input that is always 1.
#pragma once

#include <cstdint>
#include <vector>

#include "decode/holding.h"
#include "kernels/panels.h"
#include "kernels/wide_matrix.h"
#include "model/decoder_layer.h"
#include "model/moe_layer.h"

namespace ladimo {

/// Where weights are laid out, for how many threads, and how the matrices are held. Norms, biases, routers
/// and compensation vectors are always held as they are.
struct Preparing {
  Arena& arena;
  int threads;
  Holding holding = Holding::as_stored;
};

/// The attention of one layer, and both of its norms.
struct PreparedAttention {
  PreparedAttention(const DecoderLayer& layer, const Preparing& preparing);

  std::vector<float> attention_norm, ffn_norm;  // [d]
  std::vector<float> q_norm, k_norm;            // [head_dim], empty without qk_norm
  /// Inputs d (and 1); outputs: the query heads, the key heads, the value heads. No panel crosses a head.
  PanelMatrix qkv;
  PanelMatrix o;  // inputs heads * head_dim (and 1), outputs d
  std::int64_t heads, kv_heads, head_dim, sliding_window;
  std::int64_t head_panels;  // panels of each head
  float rms_eps, scale, residual_multiplier;
};

/// The FFN of one layer, dense or in experts. Which experts run is not decided here.
struct PreparedFfn {
  PreparedFfn(const DenseFfn& ffn, const Preparing& preparing);
  PreparedFfn(const MoeWeights& weights, const Preparing& preparing);

  /// Neurons of one panel of `gate_up`, all of one slice. Slice -1 runs for every token.
  struct Block {
    std::int64_t first, count, slice;
  };
  std::vector<Block> blocks;
  PanelMatrix gate_up;  // inputs d (and 1); panel b: gate of block b, then up of block b
  PanelMatrix down;     // inputs f, outputs d
  PanelMatrix
      added;  // outputs d; one row per slice that is added where it is skipped, then the output's bias
  PanelMatrix router_hidden;  // fp32, inputs d and 1, outputs r; without panels: a linear router
  PanelMatrix router;         // fp32, inputs d (or r) and 1, outputs E; without panels: dense
  MoeShape shape;
  std::vector<float> neuron_norms;  // [f] of what each neuron adds to the output
  bool compensated = false, output_bias = false;

  std::int64_t neurons() const { return down.inputs(); }
  std::int64_t slices() const { return shape.routed; }
  /// The neurons of a slice.
  Range slice(std::int64_t index) const;
  /// Bytes that one token reads when as much runs on average as `policy` says: mean_experts where it is
  /// sparse, and the shares of its cuts.
  double bytes(const LayerPolicy& policy) const;

 private:
  struct Parts;
  PreparedFfn(const Parts& parts, const Preparing& preparing);
};

/// The products of one layer with their rows in one piece, for tokens that use some of the inputs.
struct PreparedRows {
  /// `ffn` is null where the layer runs experts. Precondition: fp32 or bf16 on the CPU.
  PreparedRows(const DecoderLayer& layer, const DenseFfn* ffn, Arena& arena);

  WideMatrix qkv;      // inputs d (and 1), outputs as PreparedAttention has them
  WideMatrix o;        // inputs heads * head_dim (and 1), outputs d
  WideMatrix gate_up;  // inputs d (and 1), outputs gate [f], then up [f]; empty without `ffn`
  WideMatrix down;     // inputs f, outputs d; empty without `ffn`

  /// Null where there is none.
  const WideMatrix* of(Product product) const;
};

/// The final norm and the vocabulary projection.
struct PreparedHead {
  PreparedHead(const Head& head, const Preparing& preparing);

  std::vector<float> norm;  // [d]
  PanelMatrix weight;       // inputs d, outputs vocab
  float rms_eps, logits_factor;
};

}  // namespace ladimo
