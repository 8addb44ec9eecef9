#include "checkpoint/gguf_arch.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "checkpoint/float_bits.h"
#include "checkpoint/license.h"

namespace ladimo {
namespace {

using Kind = RopeScaling::Kind;

constexpr std::uint32_t quantisation_version = 2;  // GGML_QNT_VERSION
constexpr const char* other_format = "Choose another format with {format}; native has every model.";

constexpr GgufArch archs[] = {
    {.name = "llama",
     .interleaved = true,
     .rope_factors = true,
     .qkv_bias = true,
     .o_bias = true,
     .mlp_bias = true},
    {.name = "qwen2", .qkv_bias = true, .square = true},
    {.name = "qwen3", .qkv_bias = true, .qk_norm = true, .needs_qk_norm = true},
    {.name = "granite",
     .interleaved = true,
     .rope_factors = true,
     .multipliers = true,
     .qkv_bias = true,
     .o_bias = true,
     .mlp_bias = true},
    {.name = "granitemoe",
     .interleaved = true,
     .rope_factors = true,
     .multipliers = true,
     .qkv_bias = true,
     .o_bias = true},
    {.name = "qwen2moe", .qkv_bias = true, .square = true, .needs_output = true},
    {.name = "glm4moe", .qkv_bias = true, .qk_norm = true, .ffn_norm = "post_attention_norm"},
};

struct Module {
  Role role;
  const char* name;
};

constexpr Module attention[] = {{Role::attention_norm, "attn_norm.weight"},
                                {Role::q, "attn_q.weight"},
                                {Role::q_bias, "attn_q.bias"},
                                {Role::k, "attn_k.weight"},
                                {Role::k_bias, "attn_k.bias"},
                                {Role::v, "attn_v.weight"},
                                {Role::v_bias, "attn_v.bias"},
                                {Role::q_norm, "attn_q_norm.weight"},
                                {Role::k_norm, "attn_k_norm.weight"},
                                {Role::o, "attn_output.weight"},
                                {Role::o_bias, "attn_output.bias"}};

constexpr Module ffn[] = {{Role::gate, "ffn_gate.weight"}, {Role::gate_bias, "ffn_gate.bias"},
                          {Role::up, "ffn_up.weight"},     {Role::up_bias, "ffn_up.bias"},
                          {Role::down, "ffn_down.weight"}, {Role::down_bias, "ffn_down.bias"}};

/// The heads whose rows a tensor has; 0 for other tensors. No interleaving architecture has q_norm or k_norm.
std::int64_t heads_of(Role role, const ModelConfig& config) {
  if (role == Role::q || role == Role::q_bias) return config.heads;
  if (role == Role::k || role == Role::k_bias) return config.kv_heads;
  return 0;
}

GgufTensor tensor_of(std::string name, const TensorView& view, GgufPrecision wanted,
                     std::int64_t interleaved_heads = 0) {
  const auto precision = gguf_precision_for(name, view.shape, wanted);
  // The store keeps the file mapped as long as the checkpoint or a copy of it lives.
  const std::int64_t columns = view.shape.size() > 1 ? view.shape.back() : 1;
  return {{std::move(name), precision, view.shape}, [view, interleaved_heads, columns] {
            auto values = exact_values(view);
            return interleaved_heads > 0 ? interleaved_rows(values, interleaved_heads, columns) : values;
          }};
}

std::uint32_t u32_of(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// What yarn multiplies cos and sin by where nothing else is said, in llama.cpp and in transformers.
double usual_attention_factor(const RopeScaling& scaling) {
  return scaling.factor <= 1 ? 1 : 0.1 * std::log(scaling.factor) + 1;
}

bool differ(double a, double b) { return std::abs(a - b) > 1e-6 * std::abs(b); }

void add_rope_keys(GgufKeys& keys, const std::string& prefix, const ModelConfig& config) {
  const RopeScaling& scaling = config.rope_scaling;
  keys.u32(prefix + "dimension_count", u32_of(config.rotary_dim()));
  keys.f32(prefix + "freq_base", static_cast<float>(config.rope_theta));
  if (scaling.kind != Kind::linear && scaling.kind != Kind::yarn && scaling.kind != Kind::longrope) return;
  const bool linear = scaling.kind == Kind::linear, yarn = scaling.kind == Kind::yarn;
  keys.text(prefix + "scaling.type", linear ? "linear" : yarn ? "yarn" : "longrope");
  if (linear || yarn) keys.f32(prefix + "scaling.factor", static_cast<float>(scaling.factor));
  if (!linear) keys.u32(prefix + "scaling.original_context_length", u32_of(scaling.original_positions));
  if (scaling.kind == Kind::longrope)
    keys.f32(prefix + "scaling.attn_factor", static_cast<float>(scaling.attention_factor));
  if (!yarn) return;
  keys.f32(prefix + "scaling.yarn_beta_fast", static_cast<float>(scaling.beta_fast));
  keys.f32(prefix + "scaling.yarn_beta_slow", static_cast<float>(scaling.beta_slow));
}

/// What a pair of dimensions' frequency is divided by, as in the converter of llama.cpp.
float llama3_divisor(const ModelConfig& config, std::int64_t pair) {
  const RopeScaling& scaling = config.rope_scaling;
  const double exponent = 2 * static_cast<double>(pair) / static_cast<double>(config.rotary_dim());
  const double waves = static_cast<double>(scaling.original_positions) /
                       (2 * std::numbers::pi * std::pow(config.rope_theta, exponent));
  if (waves > scaling.high_frequency_factor) return 1;
  if (waves < scaling.low_frequency_factor) return static_cast<float>(scaling.factor);
  const double smooth =
      (waves - scaling.low_frequency_factor) / (scaling.high_frequency_factor - scaling.low_frequency_factor);
  return static_cast<float>(1 / ((1 - smooth) / scaling.factor + smooth));
}

GgufTensor vector_of(std::string name, std::vector<float> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return {{std::move(name), GgufPrecision::f32, {size}}, [values = std::move(values)] { return values; }};
}

std::vector<float> as_floats(const std::vector<double>& numbers) { return {numbers.begin(), numbers.end()}; }

}  // namespace

const GgufArch& gguf_arch(std::string_view name) {
  const auto* found = std::ranges::find(archs, name, &GgufArch::name);
  if (found == std::end(archs))
    throw Error(fmt::format("{} is no architecture that this program writes as GGUF.", name),
                "This is a bug. Please report it.");
  return *found;
}

const GgufArch* dense_gguf_arch(const ModelConfig& config) {
  constexpr std::pair<std::string_view, std::string_view> families[] = {{"LlamaForCausalLM", "llama"},
                                                                        {"MistralForCausalLM", "llama"},
                                                                        {"Qwen2ForCausalLM", "qwen2"},
                                                                        {"Qwen3ForCausalLM", "qwen3"},
                                                                        {"GraniteForCausalLM", "granite"}};
  for (const auto& [architecture, arch] : families)
    if (config.architecture == architecture) return &gguf_arch(arch);
  return nullptr;
}

std::vector<Problem> gguf_arch_problems(const ModelConfig& config, const GgufArch& arch, bool dense_ffns) {
  std::vector<Problem> problems;
  const auto add = [&](std::string what) { problems.push_back({std::move(what), other_format, {}}); };
  const auto lacks = [&](bool wrong, std::string_view what) {
    if (wrong) add(fmt::format("The GGUF architecture {} {}.", arch.name, what));
  };
  lacks(config.qkv_bias && !arch.qkv_bias, "has no biases of queries, keys and values");
  lacks(config.o_bias && !arch.o_bias, "has no bias of the attention's output");
  lacks(config.mlp_bias && dense_ffns && !arch.mlp_bias, "has no biases in dense FFNs");
  lacks(config.qk_norm && !arch.qk_norm, "has no norms of queries and keys");
  lacks(!config.qk_norm && arch.needs_qk_norm, "needs norms of queries and keys, which the model lacks");
  lacks(arch.square && config.heads * config.head_dim != config.hidden_size,
        fmt::format("needs heads that together have the hidden size ({} x {} is not {})", config.heads,
                    config.head_dim, config.hidden_size));
  const bool multiplied = config.embedding_multiplier != 1 || config.residual_multiplier != 1 ||
                          config.logits_scaling != 1 || config.attention_multiplier.has_value();
  lacks(multiplied && !arch.multipliers, "has no multipliers of embeddings, attention, residuals and logits");
  lacks(config.rotary_share != 1 && arch.interleaved,
        "rotates whole heads, but the model only a part of each");
  const RopeScaling& scaling = config.rope_scaling;
  lacks((scaling.kind == Kind::llama3 || scaling.kind == Kind::longrope) && !arch.rope_factors,
        fmt::format("has no factors of rotary frequencies (rope type {})",
                    scaling.kind == Kind::llama3 ? "llama3" : "longrope"));
  const bool odd_yarn =
      scaling.kind == Kind::yarn &&
      (!scaling.truncate || differ(scaling.attention_factor, usual_attention_factor(scaling)));
  if (odd_yarn) add("GGUF has no word for this model's yarn (attention_factor, mscale or truncate).");
  if (scaling.kind == Kind::dynamic) add("GGUF has no word for the rope type dynamic.");
  if (config.sliding_window > 0 && !config.full_attention_layers.empty())
    add("GGUF cannot say in which layers the sliding window holds.");
  return problems;
}

void add_gguf_general_keys(GgufKeys& keys, const Checkpoint& checkpoint, const GgufArch& arch,
                           GgufPrecision precision) {
  keys.text("general.architecture", arch.name);
  keys.text("general.type", "model");
  auto path = checkpoint.path();
  if (!path.has_filename()) path = path.parent_path();
  const bool file = checkpoint.format() == FileFormat::gguf;
  keys.text("general.name", (file ? path.stem() : path.filename()).string());
  if (const auto license = license_of(checkpoint.files())) keys.text("general.license", *license);
  keys.u32("general.quantization_version", quantisation_version);
  keys.u32("general.file_type", gguf_file_type(precision));
}

void add_gguf_attention_keys(GgufKeys& keys, const ModelConfig& config, const GgufArch& arch) {
  if (auto problems = gguf_arch_problems(config, arch, false); !problems.empty())
    throw Refusal(std::move(problems));
  const std::string prefix = fmt::format("{}.", arch.name), head = prefix + "attention.";
  keys.u32(prefix + "block_count", u32_of(config.layers));
  keys.u32(prefix + "context_length", u32_of(config.max_positions));
  keys.u32(prefix + "embedding_length", u32_of(config.hidden_size));
  keys.u32(prefix + "vocab_size", u32_of(config.vocab_size));
  keys.u32(head + "head_count", u32_of(config.heads));
  keys.u32(head + "head_count_kv", u32_of(config.kv_heads));
  keys.u32(head + "key_length", u32_of(config.head_dim));
  keys.u32(head + "value_length", u32_of(config.head_dim));
  keys.f32(head + "layer_norm_rms_epsilon", static_cast<float>(config.rms_eps));
  if (config.sliding_window > 0) keys.u32(head + "sliding_window", u32_of(config.sliding_window));
  add_rope_keys(keys, prefix + "rope.", config);
  if (!arch.multipliers) return;
  keys.f32(head + "scale", static_cast<float>(config.attention_scale()));
  keys.f32(prefix + "embedding_scale", static_cast<float>(config.embedding_multiplier));
  keys.f32(prefix + "residual_scale", static_cast<float>(config.residual_multiplier));
  keys.f32(prefix + "logit_scale", static_cast<float>(config.logits_scaling));
}

std::vector<GgufTensor> gguf_rope_tensors(const ModelConfig& config) {
  std::vector<GgufTensor> tensors;
  const RopeScaling& scaling = config.rope_scaling;
  if (scaling.kind == Kind::longrope) {
    tensors.push_back(vector_of("rope_factors_long.weight", as_floats(scaling.long_factors)));
    tensors.push_back(vector_of("rope_factors_short.weight", as_floats(scaling.short_factors)));
  } else if (scaling.kind == Kind::llama3) {
    std::vector<float> divisors;
    for (std::int64_t pair = 0; pair < config.rotary_dim() / 2; ++pair)
      divisors.push_back(llama3_divisor(config, pair));
    tensors.push_back(vector_of("rope_freqs.weight", std::move(divisors)));
  }
  return tensors;
}

std::vector<GgufTensor> gguf_first_tensors(const Checkpoint& checkpoint, GgufPrecision precision) {
  auto tensors = gguf_rope_tensors(checkpoint.config());
  tensors.push_back(tensor_of("token_embd.weight", checkpoint.tensor(Role::embedding), precision));
  return tensors;
}

std::vector<GgufTensor> gguf_attention_tensors(const Checkpoint& checkpoint, std::int64_t layer,
                                               const GgufArch& arch, GgufPrecision precision) {
  const ModelConfig& config = checkpoint.config();
  std::vector<GgufTensor> tensors;
  for (const auto& [role, name] : attention)
    if (has_role(role, config))
      tensors.push_back(tensor_of(fmt::format("blk.{}.{}", layer, name), checkpoint.tensor(role, layer),
                                  precision, arch.interleaved ? heads_of(role, config) : 0));
  tensors.push_back(tensor_of(fmt::format("blk.{}.{}.weight", layer, arch.ffn_norm),
                              checkpoint.tensor(Role::ffn_norm, layer), precision));
  return tensors;
}

std::vector<GgufTensor> gguf_dense_ffn_tensors(const Checkpoint& checkpoint, std::int64_t layer,
                                               GgufPrecision precision) {
  std::vector<GgufTensor> tensors;
  for (const auto& [role, name] : ffn)
    if (has_role(role, checkpoint.config()))
      tensors.push_back(
          tensor_of(fmt::format("blk.{}.{}", layer, name), checkpoint.tensor(role, layer), precision));
  return tensors;
}

std::vector<GgufTensor> gguf_last_tensors(const Checkpoint& checkpoint, const GgufArch& arch,
                                          GgufPrecision precision) {
  std::vector<GgufTensor> tensors;
  tensors.push_back(tensor_of("output_norm.weight", checkpoint.tensor(Role::final_norm), precision));
  const bool tied = checkpoint.config().tied_head;
  if (!tied || arch.needs_output)
    tensors.push_back(
        tensor_of("output.weight", checkpoint.tensor(tied ? Role::embedding : Role::head), precision));
  return tensors;
}

std::vector<float> interleaved_rows(std::span<const float> values, std::int64_t heads, std::int64_t columns) {
  const auto width = static_cast<std::size_t>(columns), rows = values.size() / width,
             height = rows / static_cast<std::size_t>(heads), half = height / 2;
  std::vector<float> result(values.size());
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t in_head = row % height, to = row - in_head + in_head % half * 2 + in_head / half;
    std::ranges::copy(values.subspan(row * width, width),
                      result.begin() + static_cast<std::ptrdiff_t>(to * width));
  }
  return result;
}

std::vector<float> exact_values(const TensorView& view) {
  TensorView exact = view;
  if (exact.stored != nullptr) exact.dtype = DType::f32;  // as it is decoded, before it is rounded
  const std::size_t count = exact.elements();
  std::vector<float> values(count);
  if (exact.dtype == DType::f32) {
    read_elements(exact, 0, std::as_writable_bytes(std::span(values)));
    return values;
  }
  constexpr std::size_t at_once = 1 << 16;
  std::vector<std::byte> buffer;
  for (std::size_t first = 0; first < count; first += at_once) {
    const auto bytes = elements_of(exact, first, std::min(at_once, count - first), buffer);
    for (std::size_t i = 0; i < bytes.size() / sizeof(std::uint16_t); ++i) {
      std::uint16_t bits = 0;
      std::memcpy(&bits, bytes.data() + i * sizeof bits, sizeof bits);
      values[first + i] = exact.dtype == DType::bf16 ? bfloat_value(bits) : half_value(bits);
    }
  }
  return values;
}

}  // namespace ladimo
