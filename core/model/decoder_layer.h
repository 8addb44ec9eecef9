// One layer of the decoder: h' = h + m attention(norm(h)); h'' = h' + m ffn(norm(h')), where m is the
// residual multiplier. Differentiable where autograd is on.
#pragma once

#include <cstdint>
#include <memory>

#include <ATen/core/Tensor.h>

#include "model/feed_forward.h"
#include "model/rotary.h"

namespace ladimo {

class KvCache;

/// x / rms(x) * weight, computed in fp32 and returned in the dtype of the weight. x [..., d], weight [d].
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps);

/// Which inputs of an attention's products are left out (model/large_inputs.h).
struct AttentionCuts {
  double qkv = 0, o = 0;  // thresholds; 0: every input is multiplied
  at::Tensor first;       // bool [rows], tokens that begin a text; undefined: none
};

/// What the products of an attention were multiplied with.
struct AttentionInputs {
  at::Tensor qkv;  // [..., d]
  at::Tensor o;    // [..., heads * head_dim]
};

struct DecoderLayer {
  at::Tensor attention_norm;                  // [d]
  at::Tensor q;                               // [heads * head_dim, d]
  at::Tensor k, v;                            // [kv_heads * head_dim, d]
  at::Tensor o;                               // [d, heads * head_dim]
  at::Tensor q_bias, k_bias, v_bias, o_bias;  // undefined where the model has none
  at::Tensor q_norm, k_norm;                  // [head_dim], undefined without qk_norm
  at::Tensor ffn_norm;                        // [d]
  std::shared_ptr<const FeedForward> ffn;
  std::int64_t heads = 0, kv_heads = 0, head_dim = 0, sliding_window = 0;
  double rms_eps = 0;
  double attention_scale = 0;  // multiplies the scores
  double residual_multiplier = 1;

  /// h + m attention(norm(h)). h [B, W, d]. Attention is causal within each of the B sequences. Positions
  /// continue after those that the cache holds for this layer, or start at 0 without a cache. Scores are
  /// computed in chunks, so memory stays bounded. Throws Refusal beyond the model's last position.
  at::Tensor attend(const at::Tensor& h, const Rotary& rotary, KvCache* cache = nullptr,
                    std::int64_t layer = 0, const AttentionCuts& cuts = {},
                    AttentionInputs* inputs = nullptr) const;
  /// h + m ffn(norm(h)), together with the intermediate results. h [B, W, d]; `first` as FeedForward has it.
  struct Added {
    at::Tensor h;   // [B, W, d]
    at::Tensor x;   // [B * W, d] norm(h), the input of the FFN
    FfnOutput ffn;  // the output of the FFN
  };
  Added add_ffn(const at::Tensor& h, const FeedForward& ffn, const at::Tensor& first = {}) const;
  Added add_ffn(const at::Tensor& h) const { return add_ffn(h, *ffn); }
};

/// Final norm and vocabulary projection.
struct Head {
  at::Tensor norm;    // [d]
  at::Tensor weight;  // [vocab, d]
  double rms_eps = 0;
  double logits_scaling = 1;  // divides the logits

  /// [T, d] -> logits [T, vocab], in the weights' dtype.
  at::Tensor logits(const at::Tensor& h) const;
};

}  // namespace ladimo
