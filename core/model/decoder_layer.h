// One layer of the decoder: h' = h + attention(norm(h)); h'' = h' + ffn(norm(h')). Differentiable where
// autograd is on.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "checkpoint/config.h"
#include "model/feed_forward.h"

namespace ladimo {

class KvCache;

/// x / rms(x) * weight, computed in fp32 and returned in the dtype of the weight. x [..., d], weight [d].
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps);

/// cos and sin of the rotary embedding, with the config's scaling (none, linear, llama3), in the
/// half-rotation convention of Hugging Face: dimension i turns with dimension i + head_dim / 2. The tables
/// grow with the positions that are asked for, because the config may allow millions. Thread-safe.
class Rotary {
 public:
  struct Tables {
    at::Tensor cos;  // [positions, head_dim] fp32, both halves alike
    at::Tensor sin;  // [positions, head_dim] fp32, the first half negative: x cos + (x rolled by half) sin
  };

  Rotary(const ModelConfig& config, at::Device device);
  /// Tables of at least `positions` positions. Throws Refusal where the model has fewer positions.
  Tables upto(std::int64_t positions) const;

 private:
  std::vector<float> frequencies_;  // [head_dim / 2]
  std::int64_t max_positions_;
  at::Device device_;
  struct Grown;
  std::shared_ptr<Grown> grown_;
};

struct DecoderLayer {
  at::Tensor attention_norm;                  // [d]
  at::Tensor q;                               // [heads * head_dim, d]
  at::Tensor k, v;                            // [kv_heads * head_dim, d]
  at::Tensor o;                               // [d, heads * head_dim]
  at::Tensor q_bias, k_bias, v_bias, o_bias;  // undefined without attention_bias
  at::Tensor ffn_norm;                        // [d]
  std::shared_ptr<const FeedForward> ffn;
  std::int64_t heads = 0, kv_heads = 0, head_dim = 0, sliding_window = 0;
  double rms_eps = 0;

  /// h + attention(norm(h)). h [B, W, d]. Attention is causal within each of the B sequences. Positions
  /// continue after those that the cache holds for this layer, or start at 0 without a cache. Scores are
  /// computed in chunks, so memory stays bounded. Throws Refusal beyond the model's last position.
  at::Tensor attend(const at::Tensor& h, const Rotary& rotary, KvCache* cache = nullptr,
                    std::int64_t layer = 0) const;
  /// h + ffn(norm(h)), together with the intermediate results. h [B, W, d].
  struct Added {
    at::Tensor h;   // [B, W, d]
    at::Tensor x;   // [B * W, d] norm(h), the input of the FFN
    FfnOutput ffn;  // the output of the FFN
  };
  Added add_ffn(const at::Tensor& h, const FeedForward& ffn) const;
  Added add_ffn(const at::Tensor& h) const { return add_ffn(h, *ffn); }
};

/// Final norm and vocabulary projection.
struct Head {
  at::Tensor norm;    // [d]
  at::Tensor weight;  // [vocab, d]
  double rms_eps = 0;

  /// [T, d] -> logits [T, vocab], in the weights' dtype.
  at::Tensor logits(const at::Tensor& h) const;
};

}  // namespace ladimo
