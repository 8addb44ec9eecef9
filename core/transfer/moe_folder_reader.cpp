// Reads folders of MoE classes as transformers does: every size from config.json, every tensor by the name
// that the class's code has for it.
#include <memory>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "model/weight_source.h"
#include "transfer/moe_folder.h"

namespace ladimo {
namespace {

using Json = nlohmann::json;

/// The sizes and the rope of config.json, which every class spells as LLaMA does.
ModelConfig read_sizes(const Json& config, const std::filesystem::path& file) {
  Json llama;
  for (const char* key :
       {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
        "head_dim", "hidden_act", "max_position_embeddings", "rms_norm_eps", "tie_word_embeddings",
        "intermediate_size", "rope_theta", "rope_scaling", "torch_dtype"})
    if (config.contains(key)) llama[key] = config[key];
  llama["architectures"] = {"LlamaForCausalLM"};
  llama["model_type"] = "llama";
  std::vector<Problem> problems;
  ModelConfig read = parse_config(llama, file, problems);
  if (!problems.empty()) throw Refusal(problems);
  read.rotary_share = config.value("partial_rotary_factor", 1.0);
  read.sliding_window = config.contains("sliding_window") && config["sliding_window"].is_number()
                            ? config["sliding_window"].get<std::int64_t>()
                            : 0;
  read.embedding_multiplier = config.value("embedding_multiplier", 1.0);
  read.residual_multiplier = config.value("residual_multiplier", 1.0);
  read.logits_scaling = config.value("logits_scaling", 1.0);
  if (config.contains("attention_multiplier"))
    read.attention_multiplier = config["attention_multiplier"].get<double>();
  return read;
}

class Folder {
 public:
  Folder(const MoeClass& target, const std::filesystem::path& path, at::Device device)
      : files_(path),
        json_(files_.read_json("config.json")),
        config_(read_sizes(json_, path / "config.json")),
        store_(TensorStore::open(path)),
        device_(device) {
    if (json_.value("model_type", "") != target.model_type)
      throw Refusal(fmt::format("config.json: model_type is not {}.", target.model_type),
                    "The folder was changed: {export_again}.", path);
  }

  const ModelConfig& config() const { return config_; }

  at::Tensor embed(const at::Tensor& ids) const {
    const auto rows = get("model.embed_tokens.weight").index_select(0, ids.flatten().to(device_));
    return entering_stream(rows, config_).view({ids.size(0), ids.size(1), -1});
  }

  Head head() const {
    return {get("model.norm.weight"), get(config_.tied_head ? "model.embed_tokens.weight" : "lm_head.weight"),
            config_.rms_eps, config_.logits_scaling};
  }

  DecoderLayer layer(std::int64_t l) const {
    const auto name = [l](const char* rest) { return fmt::format("model.layers.{}.{}", l, rest); };
    DecoderLayer layer = layer_of(config_, l);
    layer.attention_norm = get(name("input_layernorm.weight"));
    layer.q = get(name("self_attn.q_proj.weight"));
    layer.k = get(name("self_attn.k_proj.weight"));
    layer.v = get(name("self_attn.v_proj.weight"));
    layer.o = get(name("self_attn.o_proj.weight"));
    layer.q_bias = find(name("self_attn.q_proj.bias"));
    layer.k_bias = find(name("self_attn.k_proj.bias"));
    layer.v_bias = find(name("self_attn.v_proj.bias"));
    layer.q_norm = find(name("self_attn.q_norm.weight"));
    layer.k_norm = find(name("self_attn.k_norm.weight"));
    layer.ffn_norm = get(name("post_attention_layernorm.weight"));
    layer.ffn = ffn(l);
    return layer;
  }

 private:
  at::Tensor get(const std::string& name) const { return to_tensor(store_.at(name), device_, at::kFloat); }
  at::Tensor find(const std::string& name) const { return store_.contains(name) ? get(name) : at::Tensor(); }
  std::int64_t number(const char* key) const { return json_.at(key).get<std::int64_t>(); }

  std::shared_ptr<const FeedForward> ffn(std::int64_t l) const {
    const std::string prefix = fmt::format("model.layers.{}.", l);
    if (store_.contains(prefix + "mlp.gate_proj.weight")) {
      auto dense = std::make_shared<DenseFfn>();
      dense->gate = get(prefix + "mlp.gate_proj.weight");
      dense->up = get(prefix + "mlp.up_proj.weight");
      dense->down = get(prefix + "mlp.down_proj.weight");
      return dense;
    }
    auto moe = std::make_shared<StandardMoe>();
    const auto type = json_.at("model_type").get<std::string>();
    moe->gating.k = number("num_experts_per_tok");
    if (type == "granitemoeshared") {
      read_granite(prefix, *moe);
    } else if (type == "mixtral") {
      moe->gating.scores = MixingScores::softmax;
      moe->gating.normalised = true;
      read_experts(prefix + "block_sparse_moe.", number("num_local_experts"), {"w1", "w3", "w2"}, *moe);
    } else {
      const bool glm = type == "glm4_moe";
      moe->gating.scores = glm ? MixingScores::sigmoid : MixingScores::softmax;
      moe->gating.normalised = json_.at("norm_topk_prob").get<bool>();
      if (glm) moe->gating.scale = json_.at("routed_scaling_factor").get<double>();
      read_experts(prefix + "mlp.", number(glm ? "n_routed_experts" : "num_experts"),
                   {"gate_proj", "up_proj", "down_proj"}, *moe);
      read_shared(prefix + (glm ? "mlp.shared_experts" : "mlp.shared_expert"), *moe);
      if (glm) moe->selection_bias = get(prefix + "mlp.gate.e_score_correction_bias");
    }
    return moe;
  }

  void read_granite(const std::string& prefix, StandardMoe& moe) const {
    moe.gating.scores = MixingScores::softmax_of_chosen;
    moe.gating.normalised = true;
    moe.router = get(prefix + "block_sparse_moe.router.layer.weight");
    const auto halves = get(prefix + "block_sparse_moe.input_linear.weight").chunk(2, 1);
    moe.gate = halves[0].contiguous();
    moe.up = halves[1].contiguous();
    moe.down = get(prefix + "block_sparse_moe.output_linear.weight");
    if (number("shared_intermediate_size") == 0) return;
    const auto shared = get(prefix + "shared_mlp.input_linear.weight").chunk(2, 0);
    moe.shared_gate = shared[0].contiguous();
    moe.shared_up = shared[1].contiguous();
    moe.shared_down = get(prefix + "shared_mlp.output_linear.weight");
  }

  void read_experts(const std::string& block, std::int64_t count, const std::array<const char*, 3>& names,
                    StandardMoe& moe) const {
    moe.router = get(block + "gate.weight");
    std::array<std::vector<at::Tensor>, 3> experts;
    for (std::int64_t e = 0; e < count; ++e)
      for (std::size_t i = 0; i < names.size(); ++i)
        experts[i].push_back(get(fmt::format("{}experts.{}.{}.weight", block, e, names[i])));
    moe.gate = at::stack(experts[0]);
    moe.up = at::stack(experts[1]);
    moe.down = at::stack(experts[2]);
  }

  void read_shared(const std::string& name, StandardMoe& moe) const {
    if (!store_.contains(name + ".gate_proj.weight")) return;
    moe.shared_gate = get(name + ".gate_proj.weight");
    moe.shared_up = get(name + ".up_proj.weight");
    moe.shared_down = get(name + ".down_proj.weight");
    if (store_.contains(name + "_gate.weight")) moe.shared_router = get(name + "_gate.weight");
  }

  ModelFiles files_;
  Json json_;
  ModelConfig config_;
  TensorStore store_;
  at::Device device_;
};

}  // namespace

LayerwiseModel read_moe_folder(const MoeClass& target, const std::filesystem::path& folder,
                               at::Device device) {
  const auto files = std::make_shared<const Folder>(target, folder, device);
  return {files->config(), [files](const at::Tensor& ids) { return files->embed(ids); },
          [files](std::int64_t layer) { return files->layer(layer); }, [files] { return files->head(); }};
}

}  // namespace ladimo
