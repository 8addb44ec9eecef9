#include "run/class_check.h"

namespace ladimo {

std::optional<std::string> objection(const MoeClass& target, const ModelConfig& config) {
  if (config.mlp_bias) return "has no biases in its FFNs";
  if (config.qkv_bias && !target.qkv_bias) return "has no biases of queries, keys and values";
  if (config.o_bias) return "has no bias of the attention's output";
  if (config.qk_norm && !target.qk_norm) return "does not normalise queries and keys";
  const bool multiplied = config.embedding_multiplier != 1 || config.residual_multiplier != 1 ||
                          config.logits_scaling != 1 || config.attention_multiplier;
  if (multiplied && !target.multipliers) return "has no multipliers of embeddings, residuals and scores";
  if (config.rotary_dim() != config.head_dim && !target.partial_rotary)
    return "rotates all dimensions of a head";
  if (config.sliding_window != 0 && (!target.sliding_window || !config.full_attention_layers.empty()))
    return "has no sliding window like this model's";
  if (config.rope_scaling.kind == RopeScaling::Kind::longrope)
    return "has no factors of rotary frequencies that follow from the length of the text";
  if (config.head_dim * config.heads != config.hidden_size && !target.any_head_dim)
    return "needs heads as wide as the hidden size divided by their number";
  return std::nullopt;
}

}  // namespace ladimo
