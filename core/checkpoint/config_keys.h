// The keys that config.json may have in every family; families.h has those of some families. A key in none of
// these lists is refused by name, unless its value is null, false or empty, which leaves a feature out.
#pragma once

#include <string_view>

namespace ladimo {

/// Keys that parse_config reads.
inline constexpr std::string_view used_config_keys[] = {
    "architectures",
    "model_type",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
    "max_position_embeddings",
    "original_max_position_embeddings",
    "rms_norm_eps",
    "rope_theta",
    "rope_scaling",
    "rope_parameters",
    "hidden_act",
    "sliding_window",
    "layer_types",
    "partial_rotary_factor",
    "tie_word_embeddings",
    "bos_token_id",
    "eos_token_id",
    "torch_dtype",
    "dtype",
};

/// Keys of the object rope_scaling or rope_parameters. Types that do not use a key of the first list ignore
/// it, as in transformers.
inline constexpr std::string_view used_rope_keys[] = {
    "type", "rope_type", "rope_theta", "factor", "original_max_position_embeddings", "partial_rotary_factor",
};
inline constexpr std::string_view llama3_keys[] = {"low_freq_factor", "high_freq_factor"};
inline constexpr std::string_view yarn_keys[] = {
    "attention_factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim", "truncate",
};
inline constexpr std::string_view longrope_keys[] = {"attention_factor", "short_factor", "long_factor"};

/// A key of other programs that says in its own words what this program computes.
struct AgreedKey {
  std::string_view key;
  const char* values;  // a JSON list of the values that agree with this program; the others are refused
};

inline constexpr AgreedKey agreed_config_keys[] = {
    // Masks.
    {"is_causal", "[true]"},
    {"causal", "[true]"},
    {"is_decoder", "[true, false]"},
    {"is_encoder_decoder", "[false]"},
    {"add_cross_attention", "[false]"},
    {"use_causal_mask", "[true]"},
    {"use_causal", "[true]"},
    {"causal_mask", "[true]"},
    {"causal_attention", "[true]"},
    // Positions.
    {"use_rope", "[true]"},
    {"use_rotary", "[true]"},
    {"use_rotary_embeddings", "[true]"},
    {"use_rotary_emb", "[true]"},
    {"use_rotary_position_embeddings", "[true]"},
    {"rotary_emb", "[true]"},
    {"apply_rotary", "[true]"},
    {"apply_rope", "[true]"},
    {"rotary", "[true]"},
    {"rope", "[true]"},
    {"rope_interleaved", "[false]"},
    {"rotary_interleaved", "[false]"},
    {"rotary_pct", "[1]"},
    {"position_embedding_type", "[\"rope\", \"rotary\"]"},
    // Norms.
    {"use_rms_norm", "[true]"},
    {"use_rmsnorm", "[true]"},
    {"rms_norm", "[true]"},
    {"rmsnorm", "[true]"},
    {"use_norm", "[true]"},
    {"norm_type", "[\"rmsnorm\", \"rms_norm\", \"RMSNorm\"]"},
    {"normalization", "[\"rmsnorm\", \"rms_norm\", \"RMSNorm\"]"},
    {"pre_norm", "[true]"},
    {"norm_first", "[true]"},
    {"do_layer_norm_before", "[true]"},
    // The FFN.
    {"activation", "[\"silu\", \"swish\", \"swiglu\"]"},
    {"activation_function", "[\"silu\", \"swish\", \"swiglu\"]"},
    {"hidden_activation", "[\"silu\", \"swish\", \"swiglu\"]"},
    {"use_gated_mlp", "[true]"},
    {"gated_mlp", "[true]"},
    {"glu", "[true]"},
    {"use_glu", "[true]"},
    {"use_swiglu", "[true]"},
    {"swiglu", "[true]"},
    {"gated", "[true]"},
    {"is_gated_act", "[true]"},
    // Scales.
    {"scale_attn_weights", "[true]"},
    {"scale_attention", "[true]"},
    {"scale_attn", "[true]"},
    {"use_residual", "[true]"},
    {"embedding_multiplier", "[1]"},
    {"residual_multiplier", "[1]"},
    {"logits_scaling", "[1]"},
    {"logit_scale", "[1]"},
    // The architecture.
    {"is_llama_config", "[true]"},
    {"num_experts", "[0, 1]"},
    {"num_local_experts", "[0, 1]"},
};

/// Keys that do not affect the forward pass at inference, whatever their value.
inline constexpr std::string_view harmless_config_keys[] = {
    // How tensor-parallel pretraining sliced the products: the same sums up to rounding.
    "pretraining_tp",
    // Training.
    "initializer_range",
    "attention_dropout",
    "attention_probs_dropout_prob",
    "hidden_dropout",
    "hidden_dropout_prob",
    "resid_pdrop",
    "embd_pdrop",
    "attn_pdrop",
    "classifier_dropout",
    "gradient_checkpointing",
    // Which kernel computes attention, how the cache is kept.
    "use_cache",
    "use_flash_attn",
    "use_bfloat16",
    "chunk_size_feed_forward",
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_flash_attn_2_enabled",
    "attn_implementation",
    // Tokens that the forward pass does not know about.
    "pad_token_id",
    "unk_token_id",
    "sep_token_id",
    "cls_token_id",
    "mask_token_id",
    "decoder_start_token_id",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "tokenizer_class",
    "add_bos_token",
    "add_eos_token",
    // Generation settings that old configs carry.
    "max_length",
    "min_length",
    "max_sequence_length",
    "do_sample",
    "early_stopping",
    "num_beams",
    "num_beam_groups",
    "num_return_sequences",
    "diversity_penalty",
    "length_penalty",
    "repetition_penalty",
    "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size",
    "temperature",
    "top_k",
    "top_p",
    "typical_p",
    "bad_words_ids",
    "suppress_tokens",
    "begin_suppress_tokens",
    "exponential_decay_length_penalty",
    "remove_invalid_values",
    // Labels and bookkeeping.
    "_name_or_path",
    "name_or_path",
    "_commit_hash",
    "transformers_version",
    "unsloth_version",
    "unsloth_fixed",
    "id2label",
    "label2id",
    "num_labels",
    "problem_type",
    "finetuning_task",
    "task_specific_params",
    "prefix",
    "return_dict",
    "output_attentions",
    "output_hidden_states",
    "output_scores",
    "return_dict_in_generate",
    "torchscript",
    "transformers.js_config",
    "model_name",
    "license",
};

}  // namespace ladimo
