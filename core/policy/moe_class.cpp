#include "policy/moe_class.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"

namespace ladimo {
namespace {

constexpr MoeLimits uniform{DenseLayers::none, false};

// Nodes were measured: the largest number of experts with which llama.cpp starts, in models of 60 layers with
// and without flash attention (llama-cpp-python 0.3.36), and 4 more for what other versions add.
constexpr MoeClass table[] = {
    {.name = "glm4moe",
     .title = "GLM-4-MoE",
     .architecture = "Glm4MoeForCausalLM",
     .model_type = "glm4_moe",
     .gguf = "glm4moe",
     .gguf_tensors = 14,
     .gguf_nodes = 54,
     .scores = MixingScores::sigmoid,
     .normalised = false,
     .router_scale = 1.0 / 4,
     .in_transformers = {DenseLayers::leading, true},
     .in_gguf = {DenseLayers::leading, true},
     .selection_bias = true,
     .shared = true,
     .shared_gated = false,
     .needs_shared = true,
     .shared_in_experts = true,
     .qkv_bias = true,
     .qk_norm = true,
     .multipliers = false,
     .partial_rotary = true,
     .sliding_window = false,
     .any_head_dim = true},
    {.name = "granitemoeshared",
     .title = "GraniteMoeShared",
     .architecture = "GraniteMoeSharedForCausalLM",
     .model_type = "granitemoeshared",
     .gguf = "granitemoe",
     .gguf_tensors = 13,
     .gguf_nodes = 60,
     .scores = MixingScores::softmax_of_chosen,
     .normalised = true,
     .router_scale = 1.0 / 8,
     .in_transformers = uniform,
     .in_gguf = uniform,
     .selection_bias = false,
     .shared = true,
     .shared_gated = false,
     .needs_shared = false,
     .shared_in_experts = false,
     .qkv_bias = false,
     .qk_norm = false,
     .multipliers = true,
     .partial_rotary = false,
     .sliding_window = false,
     .any_head_dim = false},
    {.name = "mixtral",
     .title = "Mixtral",
     .architecture = "MixtralForCausalLM",
     .model_type = "mixtral",
     .gguf = "llama",
     .gguf_tensors = 10,
     .gguf_nodes = 52,
     .scores = MixingScores::softmax,
     .normalised = true,
     .router_scale = 1.0 / 8,
     .in_transformers = uniform,
     .in_gguf = uniform,
     .selection_bias = false,
     .shared = false,
     .shared_gated = false,
     .needs_shared = false,
     .shared_in_experts = false,
     .qkv_bias = false,
     .qk_norm = false,
     .multipliers = false,
     .partial_rotary = false,
     .sliding_window = true,
     .any_head_dim = true},
    {.name = "qwen2moe",
     .title = "Qwen2-MoE",
     .architecture = "Qwen2MoeForCausalLM",
     .model_type = "qwen2_moe",
     .gguf = "qwen2moe",
     .gguf_tensors = 14,
     .gguf_nodes = 56,
     .scores = MixingScores::softmax,
     .normalised = false,
     .router_scale = 1.0 / 8,
     .in_transformers = {DenseLayers::any, false},
     .in_gguf = uniform,
     .selection_bias = false,
     .shared = true,
     .shared_gated = true,
     .needs_shared = true,
     .shared_in_experts = false,
     .qkv_bias = true,
     .qk_norm = false,
     .multipliers = false,
     .partial_rotary = false,
     .sliding_window = false,
     .any_head_dim = true},
};

}  // namespace

std::span<const MoeClass> moe_classes() { return table; }

const MoeClass& moe_class_named(std::string_view name) {
  std::vector<std::string_view> names;
  for (const MoeClass& target : table) {
    if (name == target.name) return target;
    names.emplace_back(target.name);
  }
  throw Refusal(fmt::format("\"{}\" is not a format with experts.", name),
                fmt::format("Use {}.", fmt::join(names, ", ")));
}

int most_experts_in_gguf(const MoeClass& target, std::int64_t layers, bool shared) {
  constexpr std::int64_t nodes_per_tensor = 8, least_nodes = 1024, nodes_per_expert = 2;
  constexpr std::int64_t tensors_of_shared = 3, nodes_of_shared = 5;  // three products, SwiGLU, a sum
  const bool without = target.shared && !target.needs_shared && !shared;
  const auto tensors = target.gguf_tensors - (without ? tensors_of_shared : 0);
  const auto nodes = target.gguf_nodes - (without ? nodes_of_shared : 0);
  const auto room = std::max(least_nodes, nodes_per_tensor * tensors * layers) / layers;
  return static_cast<int>((room - nodes) / nodes_per_expert);
}

std::int64_t experts_for_shared(const MoeClass& target, std::int64_t shared_neurons,
                                std::int64_t expert_neurons) {
  return target.shared ? 0 : (shared_neurons + expert_neurons - 1) / expert_neurons;
}

MoeShape shape_in(const MoeClass& target, MoeShape shape) {
  const auto own = std::max<std::int64_t>(shape.expert_neurons, 1), wide = in_steps(own);
  if (!target.shared) {  // they become experts
    const auto added = experts_for_shared(target, shape.shared_neurons, own);
    shape.router_parameters = static_cast<double>((shape.routed + added) * shape.hidden_size);
    shape.shared_neurons = added * wide;
  } else {
    shape.router_parameters = static_cast<double>(shape.routed * shape.hidden_size);
    if (target.selection_bias) shape.router_parameters += static_cast<double>(shape.routed);
    if (target.shared_gated) shape.router_parameters += static_cast<double>(shape.hidden_size);
    if (target.needs_shared) shape.shared_neurons = std::max<std::int64_t>(shape.shared_neurons, 1);
    const auto step = target.shared_in_experts ? wide : neurons_in_step;
    shape.shared_neurons = (shape.shared_neurons + step - 1) / step * step;
  }
  shape.expert_neurons = wide;
  shape.skipped_parameters = 0;
  shape.neuron_biases = shape.output_bias = false;
  return shape;
}

}  // namespace ladimo
