// Reads GGUF files of MoE classes as llama.cpp does: every size from the keys, every tensor by its name.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "checkpoint/gguf.h"
#include "checkpoint/gguf_rope.h"
#include "model/weight_source.h"
#include "transfer/moe_gguf.h"

namespace ladimo {
namespace {

class File {
 public:
  File(const MoeClass& target, const std::filesystem::path& path, at::Device device)
      : gguf_(Gguf::open(path)), arch_(target.gguf), device_(device) {
    if (gguf_.metadata.text("general.architecture") != arch_)
      throw Refusal(fmt::format("The file is not of the architecture {}.", arch_),
                    "The file was changed: {export_again}.", path);
    read_config();
    for (const TensorView& view : gguf_.tensors) views_.emplace(view.name, &view);
  }

  const ModelConfig& config() const { return config_; }

  at::Tensor embed(const at::Tensor& ids) const {
    const auto rows = get("token_embd.weight").index_select(0, ids.flatten().to(device_));
    return entering_stream(rows, config_).view({ids.size(0), ids.size(1), -1});
  }
  Head head() const {
    return {get("output_norm.weight"), get(has("output.weight") ? "output.weight" : "token_embd.weight"),
            config_.rms_eps, config_.logits_scaling};
  }

  DecoderLayer layer(std::int64_t l) const {
    const auto name = [l](const char* rest) { return fmt::format("blk.{}.{}", l, rest); };
    DecoderLayer layer = layer_of(config_, l);
    layer.attention_norm = get(name("attn_norm.weight"));
    layer.q = get(name("attn_q.weight"), config_.heads);
    layer.k = get(name("attn_k.weight"), config_.kv_heads);
    layer.v = get(name("attn_v.weight"));
    layer.o = get(name("attn_output.weight"));
    layer.q_bias = find(name("attn_q.bias"), config_.heads);
    layer.k_bias = find(name("attn_k.bias"), config_.kv_heads);
    layer.v_bias = find(name("attn_v.bias"));
    layer.o_bias = find(name("attn_output.bias"));
    layer.q_norm = find(name("attn_q_norm.weight"));
    layer.k_norm = find(name("attn_k_norm.weight"));
    layer.ffn_norm = get(name(arch_ == "glm4moe" ? "post_attention_norm.weight" : "ffn_norm.weight"));
    layer.ffn = ffn(l);
    return layer;
  }

 private:
  bool interleaved() const { return arch_ == "llama" || arch_ == "granitemoe"; }
  bool has(const std::string& name) const { return views_.contains(name); }

  /// A tensor in fp32. `heads` above 0: its rows belong to that many heads, whose order the architecture
  /// says.
  at::Tensor get(const std::string& name, std::int64_t heads = 0) const {
    const auto found = views_.find(name);
    if (found == views_.end())
      throw Refusal(fmt::format("Tensor {} is missing.", name), "The file was changed: {export_again}.",
                    gguf_.metadata.file());
    TensorView view = *found->second;
    view.dtype = DType::f32;
    view.dtype_text = dtype_name(view.dtype);
    if (view.stored != nullptr && std::string_view(view.stored->name) == view.dtype_text)
      view.stored = nullptr;
    if (heads > 0 && interleaved()) view.interleaved_heads = heads;
    return to_tensor(view, device_, at::kFloat);
  }
  at::Tensor find(const std::string& name, std::int64_t heads = 0) const {
    return has(name) ? get(name, heads) : at::Tensor();
  }

  std::int64_t whole(const char* key) const {
    const auto name = fmt::format("{}.{}", arch_, key);
    const auto value = gguf_.metadata.whole(name);
    if (!value) gguf_.metadata.refuse(name, "is missing.");
    return *value;
  }

  double number(const char* key, double fallback) const {
    return gguf_.metadata.number(fmt::format("{}.{}", arch_, key)).value_or(fallback);
  }

  /// Sizes, rope and multipliers. The attention is that of LLaMA, so that its configuration says all.
  void read_config() {
    const auto heads = whole("attention.head_count"), head_dim = whole("attention.key_length");
    nlohmann::ordered_json llama{
        {"architectures", {"LlamaForCausalLM"}},
        {"model_type", "llama"},
        {"vocab_size", whole("vocab_size")},
        {"hidden_size", whole("embedding_length")},
        {"intermediate_size", whole("feed_forward_length")},
        {"num_hidden_layers", whole("block_count")},
        {"num_attention_heads", heads},
        {"num_key_value_heads", whole("attention.head_count_kv")},
        {"head_dim", head_dim},
        {"hidden_act", "silu"},
        {"max_position_embeddings", whole("context_length")},
        {"rms_norm_eps", number("attention.layer_norm_rms_epsilon", 0)},
        {"tie_word_embeddings", std::ranges::find(gguf_.tensors, std::string_view("output.weight"),
                                                  &TensorView::name) == gguf_.tensors.end()}};
    const auto rotated = whole("rope.dimension_count");
    add_rope(gguf_, arch_, {rotated, number("rope.freq_base", 10000), whole("context_length")}, llama);
    std::vector<Problem> problems;
    config_ = parse_config(nlohmann::json::parse(llama.dump()), gguf_.metadata.file(), problems);
    if (!problems.empty()) throw Refusal(problems);
    config_.rotary_share = static_cast<double>(rotated) / static_cast<double>(head_dim);
    config_.embedding_multiplier = number("embedding_scale", 1);
    config_.residual_multiplier = number("residual_scale", 1);
    config_.logits_scaling = number("logit_scale", 1);
    const double scale = number("attention.scale", 0);
    if (scale > 0) config_.attention_multiplier = scale;
  }

  std::shared_ptr<const FeedForward> ffn(std::int64_t l) const {
    const auto name = [l](const char* rest) { return fmt::format("blk.{}.{}", l, rest); };
    if (!has(name("ffn_gate_inp.weight"))) {
      auto dense = std::make_shared<DenseFfn>();
      dense->gate = get(name("ffn_gate.weight"));
      dense->up = get(name("ffn_up.weight"));
      dense->down = get(name("ffn_down.weight"));
      return dense;
    }
    auto moe = std::make_shared<StandardMoe>();
    moe->gating.k = whole("expert_used_count");
    read_gating(moe->gating);
    moe->router = get(name("ffn_gate_inp.weight"));
    moe->selection_bias = find(name("exp_probs_b.bias"));
    moe->gate = get(name("ffn_gate_exps.weight"));
    moe->up = get(name("ffn_up_exps.weight"));
    moe->down = get(name("ffn_down_exps.weight"));
    moe->shared_gate = find(name("ffn_gate_shexp.weight"));
    moe->shared_up = find(name("ffn_up_shexp.weight"));
    moe->shared_down = find(name("ffn_down_shexp.weight"));
    moe->shared_router = find(name("ffn_gate_inp_shexp.weight"));
    if (moe->shared_router.defined()) moe->shared_router = moe->shared_router.view({1, -1});
    return moe;
  }

  /// What the graphs of llama.cpp have fixed, and what glm4moe's keys say.
  void read_gating(Gating& gating) const {
    if (arch_ == "glm4moe") {
      const auto& metadata = gguf_.metadata;
      gating.scores = whole("expert_gating_func") == 2 ? MixingScores::sigmoid : MixingScores::softmax;
      gating.normalised = metadata.flag("glm4moe.expert_weights_norm").value_or(false);
      gating.scale = metadata.number("glm4moe.expert_weights_scale").value_or(1);
      return;
    }
    gating.scores = arch_ == "granitemoe" ? MixingScores::softmax_of_chosen : MixingScores::softmax;
    gating.normalised = arch_ != "qwen2moe";
  }

  Gguf gguf_;
  std::string arch_;
  at::Device device_;
  ModelConfig config_;
  std::map<std::string, const TensorView*> views_;
};

}  // namespace

LayerwiseModel read_moe_gguf(const MoeClass& target, const std::filesystem::path& path, at::Device device) {
  const auto file = std::make_shared<const File>(target, path, device);
  return {file->config(), [file](const at::Tensor& ids) { return file->embed(ids); },
          [file](std::int64_t layer) { return file->layer(layer); }, [file] { return file->head(); }};
}

}  // namespace ladimo
