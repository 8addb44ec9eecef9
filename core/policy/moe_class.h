// The MoE model classes of transformers and llama.cpp that a LLaMA-like model fits into, a row each: what
// they compute, and what they can say.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "policy/moe_limits.h"
#include "policy/moe_shape.h"

namespace ladimo {

/// How router logits become the mixing weights of the experts that run: the sigmoid of each, softmax over all
/// experts, or softmax over those that were chosen.
enum class MixingScores { sigmoid, softmax, softmax_of_chosen };

struct MoeClass {
  const char* name;          // as `--format` takes it: "glm4moe"
  const char* title;         // as people know it: "GLM-4-MoE"
  const char* architecture;  // in "architectures" of config.json
  const char* model_type;
  const char* gguf;  // general.architecture of a GGUF file
  // A layer with experts in llama.cpp, with a shared one where the class can have it: the tensors of its
  // file, and the nodes of its graph beside two for every expert that runs.
  int gguf_tensors, gguf_nodes;

  // How experts are mixed. Rows of our router are multiplied by `router_scale`, a power of two. It is so
  // small that all mixing weights are nearly equal, and so large that fp32 scores keep the order of the
  // experts.
  MixingScores scores;
  bool normalised;
  double router_scale;

  MoeLimits in_transformers, in_gguf;
  bool selection_bias;     // experts may be chosen with a bias
  bool shared;             // there is an expert that always runs
  bool shared_gated;       // and a router of its own multiplies it
  bool needs_shared;       // and it must be there
  bool shared_in_experts;  // and it is a whole number of experts wide

  // What the attention of transformers' class can have beside LLaMA's.
  bool qkv_bias, qk_norm, multipliers, partial_rotary, sliding_window, any_head_dim;
};

/// All classes, the most flexible first.
std::span<const MoeClass> moe_classes();
/// The class of a name. Throws Refusal with all names when there is none.
const MoeClass& moe_class_named(std::string_view name);

/// Experts have so many neurons at least, and a multiple of them: transformers 5 multiplies only matrices
/// whose rows are multiples of 16 bytes. Neurons of zeros fill up.
inline constexpr std::int64_t neurons_in_step = 8;
/// The size of an expert that has `neurons` neurons of its own.
constexpr std::int64_t in_steps(std::int64_t neurons) {
  return (neurons + neurons_in_step - 1) / neurons_in_step * neurons_in_step;
}

/// How many experts of a token llama.cpp can run in a model of so many layers, those for shared neurons
/// included. Its graph has room for 8 nodes for each tensor of the file, 1024 at least (llama_context::
/// graph_max_nodes); it ends the program where that is too little. `shared`: whether neurons are shared.
int most_experts_in_gguf(const MoeClass& target, std::int64_t layers, bool shared);

/// How many experts of a class without a shared one take the place of so many shared neurons.
std::int64_t experts_for_shared(const MoeClass& target, std::int64_t shared_neurons,
                                std::int64_t expert_neurons);

/// What a converted layer costs in the class. Its router is linear, nothing is read for skipped experts, and
/// shared neurons are as many as the class can have.
MoeShape shape_in(const MoeClass& target, MoeShape shape);

}  // namespace ladimo
