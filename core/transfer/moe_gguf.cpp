#include "transfer/moe_gguf.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "transfer/gguf_tokenizer_keys.h"

namespace ladimo {
namespace {

/// llama.cpp's number for a sigmoid of the logits.
constexpr std::uint32_t sigmoid_gating = 2;

std::uint32_t whole(std::int64_t number) { return static_cast<std::uint32_t>(number); }

/// Keys of the FFNs. `layer` is any layer with experts.
void add_expert_keys(const MoeModel& model, const StandardMoe& layer, GgufKeys& keys) {
  const std::string_view arch = model.target->gguf;
  const auto key = [&](const char* name) { return fmt::format("{}.{}", arch, name); };
  const auto m = layer.expert_neurons();
  const auto shared = layer.shared_gate.defined() ? layer.shared_gate.size(0) : 0;
  keys.u32(key("expert_count"), whole(layer.experts()));
  keys.u32(key("expert_used_count"), whole(layer.gating.k));
  if (arch == "llama" || arch == "granitemoe") {
    keys.u32(key("feed_forward_length"), whole(m));
    if (shared > 0) keys.u32(key("expert_shared_feed_forward_length"), whole(shared));
    return;
  }
  keys.u32(key("feed_forward_length"), whole(model.original.config().intermediate_size));
  keys.u32(key("expert_feed_forward_length"), whole(m));
  if (arch == "qwen2moe") {
    keys.u32(key("expert_shared_feed_forward_length"), whole(shared));
    return;
  }
  keys.u32(key("expert_shared_count"), whole(shared / m));
  keys.u32(key("leading_dense_block_count"), whole(model.first_routed()));
  keys.u32(key("expert_gating_func"), sigmoid_gating);
  keys.f32(key("expert_weights_scale"), static_cast<float>(layer.gating.scale));
  keys.flag(key("expert_weights_norm"), layer.gating.normalised);
}

std::vector<float> values_of(const at::Tensor& tensor) {
  const auto cpu = tensor.to(at::kCPU, at::kFloat).contiguous();
  return {cpu.data_ptr<float>(), cpu.data_ptr<float>() + cpu.numel()};
}

struct ExpertTensor {
  const char* name;
  at::Tensor StandardMoe::*member;
};
constexpr ExpertTensor expert_tensors[] = {{"ffn_gate_inp.weight", &StandardMoe::router},
                                           {"exp_probs_b.bias", &StandardMoe::selection_bias},
                                           {"ffn_gate_exps.weight", &StandardMoe::gate},
                                           {"ffn_up_exps.weight", &StandardMoe::up},
                                           {"ffn_down_exps.weight", &StandardMoe::down},
                                           {"ffn_gate_inp_shexp.weight", &StandardMoe::shared_router},
                                           {"ffn_gate_shexp.weight", &StandardMoe::shared_gate},
                                           {"ffn_up_shexp.weight", &StandardMoe::shared_up},
                                           {"ffn_down_shexp.weight", &StandardMoe::shared_down}};

/// All tensors in the order of the file. The layers of `model` are loaded when their tensors are asked for.
std::vector<GgufTensor> tensors_of(const MoeModel& model, GgufPrecision precision) {
  const GgufArch& arch = gguf_arch(model.target->gguf);
  const auto shape_of_all = model.layer(model.first_routed());
  auto tensors = gguf_first_tensors(model.original, precision);
  const auto append = [&](std::vector<GgufTensor> more) {
    std::ranges::move(more, std::back_inserter(tensors));
  };
  for (std::size_t l = 0; l < model.routed.size(); ++l) {
    const auto layer = static_cast<std::int64_t>(l);
    append(gguf_attention_tensors(model.original, layer, arch, precision));
    if (!model.routed[l]) {
      append(gguf_dense_ffn_tensors(model.original, layer, precision));
      continue;
    }
    for (const auto& [name, member] : expert_tensors) {
      const at::Tensor& like = (*shape_of_all).*member;
      if (!like.defined()) continue;
      const auto full_name = fmt::format("blk.{}.{}", l, name);
      // The router of the shared expert is a vector in GGUF.
      auto shape = member == &StandardMoe::shared_router ? std::vector{like.size(1)} : like.sizes().vec();
      const auto rounded = gguf_precision_for(full_name, shape, precision);
      tensors.push_back({{full_name, rounded, std::move(shape)}, [load = model.layer, l, member = member] {
                           return values_of((*load(static_cast<int>(l))).*member);
                         }});
    }
  }
  append(gguf_last_tensors(model.original, arch, precision));
  return tensors;
}

}  // namespace

std::vector<Problem> gguf_problems(const MoeClass& target, const Checkpoint& original) {
  auto problems = gguf_arch_problems(original.config(), gguf_arch(target.gguf), /*dense_ffns=*/false);
  try {
    GgufKeys keys;
    add_gguf_tokenizer_keys(keys, original);
  } catch (const Refusal& refusal) {
    problems.push_back(refusal.problem());
  }
  return problems;
}

std::uint64_t moe_gguf_bytes(const MoeModel& model, GgufPrecision precision) {
  std::uint64_t sum = 0;
  for (const GgufTensor& tensor : tensors_of(model, precision)) sum += tensor.spec.bytes();
  return sum;
}

std::vector<std::filesystem::path> write_moe_gguf(const MoeModel& model, const std::filesystem::path& path,
                                                  GgufPrecision precision, std::uint64_t max_file_bytes,
                                                  const Context& context) {
  const GgufArch& arch = gguf_arch(model.target->gguf);
  GgufKeys keys;
  add_gguf_general_keys(keys, model.original, arch, precision);
  if (!model.description.empty()) keys.text("general.description", model.description);
  add_gguf_attention_keys(keys, model.original.config(), arch);
  add_expert_keys(model, *model.layer(model.first_routed()), keys);
  add_gguf_tokenizer_keys(keys, model.original);
  const auto tensors = tensors_of(model, precision);
  std::uint64_t sum = 0;
  for (const GgufTensor& tensor : tensors) sum += tensor.spec.bytes();
  Progress progress(context, static_cast<std::int64_t>(sum));
  return write_gguf(path, keys, tensors, max_file_bytes, [&](const GgufTensorSpec& spec) {
    context.check();
    progress.advance(static_cast<std::int64_t>(spec.bytes()));
  });
}

}  // namespace ladimo
