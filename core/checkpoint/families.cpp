#include "checkpoint/families.h"

#include <vector>

#include <fmt/format.h>

namespace ladimo {
namespace {

constexpr std::string_view layered_window_keys[] = {"use_sliding_window", "max_window_layers"};
constexpr std::string_view bias_keys[] = {"attention_bias", "mlp_bias"};
constexpr std::string_view qwen3_keys[] = {"attention_bias", "use_sliding_window", "max_window_layers"};
constexpr std::string_view granite_keys[] = {"attention_bias",       "mlp_bias",
                                             "embedding_multiplier", "attention_multiplier",
                                             "residual_multiplier",  "logits_scaling"};

// Keys of Microsoft's own code: every layer sees all positions, positions are not interpolated.
constexpr AgreedKey phi3_agreed[] = {{"full_attn_mod", "[1]"}, {"interpolate_factor", "[1]"}};
// Its code (auto_map) computes what transformers' own does.
constexpr std::string_view phi3_harmless[] = {"auto_map"};
// Qwen2 has biases whatever this key says.
constexpr std::string_view qwen2_harmless[] = {"attention_bias"};

constexpr Family table[] = {
    {.name = "Llama",
     .architecture = "LlamaForCausalLM",
     .model_type = "llama",
     .positions = 2048,
     .bos = 1,
     .eos = 2,
     .qkv_bias = Biased::by_config,
     .o_bias = Biased::by_config,
     .mlp_bias = Biased::by_config,
     .keys = bias_keys},
    {.name = "Mistral",
     .architecture = "MistralForCausalLM",
     .model_type = "mistral",
     .positions = 131072,
     .kv_heads = 8,
     .sliding_window = 4096,
     .bos = 1,
     .eos = 2,
     .span = AttentionSpan::window},
    {.name = "Qwen2",
     .architecture = "Qwen2ForCausalLM",
     .model_type = "qwen2",
     .positions = 32768,
     .kv_heads = 32,
     .sliding_window = 4096,
     .qkv_bias = Biased::always,
     .span = AttentionSpan::by_layer,
     .keys = layered_window_keys,
     .harmless = qwen2_harmless},
    {.name = "Qwen3",
     .architecture = "Qwen3ForCausalLM",
     .model_type = "qwen3",
     .positions = 32768,
     .kv_heads = 32,
     .head_dim = 128,
     .sliding_window = 4096,
     .qkv_bias = Biased::by_config,
     .o_bias = Biased::by_config,
     .qk_norm = true,
     .span = AttentionSpan::by_layer,
     .keys = qwen3_keys},
    {.name = "Phi-3",
     .architecture = "Phi3ForCausalLM",
     .model_type = "phi3",
     .positions = 4096,
     .rms_eps = 1e-5,
     .original_positions = 4096,
     .bos = 1,
     .eos = 32000,
     .fused = true,
     .span = AttentionSpan::window,
     .partial_rotary = true,
     .longrope_alias = "yarn",
     .agreed = phi3_agreed,
     .harmless = phi3_harmless},
    {.name = "Granite",
     .architecture = "GraniteForCausalLM",
     .model_type = "granite",
     .positions = 2048,
     .bos = 1,
     .eos = 2,
     .qkv_bias = Biased::by_config,
     .o_bias = Biased::by_config,
     .mlp_bias = Biased::by_config,
     .multipliers = true,
     .keys = granite_keys},
};

}  // namespace

std::span<const Family> families() { return table; }

const Family* family_of(std::string_view architecture) {
  for (const Family& family : table)
    if (architecture == family.architecture) return &family;
  return nullptr;
}

std::string known_architectures() {
  std::vector<std::string> names;
  for (const Family& family : table) names.emplace_back(family.architecture);
  const std::string last = std::move(names.back());
  names.pop_back();
  return fmt::format("{} and {}", fmt::join(names, ", "), last);
}

}  // namespace ladimo
