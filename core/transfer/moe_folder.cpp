#include "transfer/moe_folder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "model/weight_source.h"

namespace ladimo {
namespace {

using Json = nlohmann::json;

// ---- config.json ----

/// Rotary settings under the keys of transformers 4 (rope_theta, rope_scaling) and 5 (rope_parameters).
void add_rope(const Json& original, const ModelConfig& config, Json& json) {
  Json scaling = original.value("rope_scaling", Json());
  if (original.contains("rope_parameters") && original["rope_parameters"].is_object()) {
    Json parameters = original["rope_parameters"];
    parameters.erase("rope_theta");
    parameters.erase("partial_rotary_factor");
    const auto type = parameters.value("rope_type", "default");
    scaling = type == "default" ? Json() : parameters;
  }
  if (scaling.is_object()) {
    const Json type = scaling.value("rope_type", scaling.value("type", Json("default")));
    scaling["rope_type"] = scaling["type"] = type;
    // It may stand outside, which only the original's class knows.
    if (config.rope_scaling.original_positions > 0)
      scaling["original_max_position_embeddings"] = config.rope_scaling.original_positions;
  }
  json["rope_theta"] = config.rope_theta;
  json["rope_scaling"] = scaling;
  Json parameters = scaling.is_object() ? scaling : Json{{"rope_type", "default"}};
  parameters.erase("type");
  parameters["rope_theta"] = config.rope_theta;
  parameters["partial_rotary_factor"] = config.rotary_share;
  json["rope_parameters"] = parameters;
  json["partial_rotary_factor"] = config.rotary_share;
}

/// What all classes say.
Json common_config(const MoeModel& model, const Json& original) {
  const ModelConfig& config = model.original.config();
  Json json;
  json["architectures"] = {model.target->architecture};
  json["model_type"] = model.target->model_type;
  for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id", "initializer_range"})
    if (original.contains(key)) json[key] = original[key];
  json["vocab_size"] = config.vocab_size;
  json["hidden_size"] = config.hidden_size;
  json["num_hidden_layers"] = config.layers;
  json["num_attention_heads"] = config.heads;
  json["num_key_value_heads"] = config.kv_heads;
  json["head_dim"] = config.head_dim;
  json["hidden_act"] = "silu";
  json["max_position_embeddings"] = original.value("max_position_embeddings", Json(config.max_positions));
  json["rms_norm_eps"] = config.rms_eps;
  json["attention_dropout"] = 0.0;
  json["tie_word_embeddings"] = config.tied_head;
  json["use_cache"] = true;
  json["torch_dtype"] = config.dtype.empty() ? "float32" : config.dtype;
  json["output_router_logits"] = false;
  json["router_aux_loss_coef"] = 0.001;
  add_rope(original, config, json);
  return json;
}

std::int64_t shared_width(const StandardMoe& layer) {
  return layer.shared_gate.defined() ? layer.shared_gate.size(0) : 0;
}

void add_glm(const MoeModel& model, const StandardMoe& layer, Json& json) {
  const ModelConfig& config = model.original.config();
  const auto dense = std::ranges::find(model.routed, true) - model.routed.begin();
  json["intermediate_size"] = config.intermediate_size;
  json["moe_intermediate_size"] = layer.expert_neurons();
  json["n_routed_experts"] = layer.experts();
  json["n_shared_experts"] = shared_width(layer) / layer.expert_neurons();
  json["num_experts_per_tok"] = layer.gating.k;
  json["first_k_dense_replace"] = dense;
  json["norm_topk_prob"] = layer.gating.normalised;
  json["routed_scaling_factor"] = layer.gating.scale;
  json["n_group"] = 1;
  json["topk_group"] = 1;
  json["use_qk_norm"] = config.qk_norm;
  json["attention_bias"] = config.qkv_bias;
}

void add_granite(const MoeModel& model, const StandardMoe& layer, Json& json) {
  const ModelConfig& config = model.original.config();
  json["intermediate_size"] = layer.expert_neurons();
  json["shared_intermediate_size"] = shared_width(layer);
  json["num_local_experts"] = layer.experts();
  json["num_experts_per_tok"] = layer.gating.k;
  json["attention_multiplier"] = config.attention_scale();
  json["embedding_multiplier"] = config.embedding_multiplier;
  json["residual_multiplier"] = config.residual_multiplier;
  json["logits_scaling"] = config.logits_scaling;
  json["attention_bias"] = false;
}

void add_mixtral(const MoeModel& model, const StandardMoe& layer, Json& json) {
  const auto window = model.original.config().sliding_window;
  json["intermediate_size"] = layer.expert_neurons();
  json["num_local_experts"] = layer.experts();
  json["num_experts_per_tok"] = layer.gating.k;
  json["router_jitter_noise"] = 0.0;
  json["sliding_window"] = window > 0 ? Json(window) : Json();
}

void add_qwen2(const MoeModel& model, const StandardMoe& layer, Json& json) {
  const ModelConfig& config = model.original.config();
  json["intermediate_size"] = config.intermediate_size;
  json["moe_intermediate_size"] = layer.expert_neurons();
  json["shared_expert_intermediate_size"] = shared_width(layer);
  json["num_experts"] = layer.experts();
  json["num_experts_per_tok"] = layer.gating.k;
  json["norm_topk_prob"] = layer.gating.normalised;
  json["decoder_sparse_step"] = 1;
  auto dense = Json::array();
  for (std::size_t l = 0; l < model.routed.size(); ++l)
    if (!model.routed[l]) dense.push_back(l);
  json["mlp_only_layers"] = dense;
  json["qkv_bias"] = true;  // zeros where the model has none: older programs look for them
  json["use_sliding_window"] = false;
  json["sliding_window"] = Json();
  json["max_window_layers"] = config.layers;
}

/// Adds the keys that only one class has. `layer` is any layer with experts.
struct OwnKeys {
  std::string_view name;
  void (*add)(const MoeModel& model, const StandardMoe& layer, Json& json);
};
constexpr OwnKeys own_keys[] = {{"glm4moe", add_glm},
                                {"granitemoeshared", add_granite},
                                {"mixtral", add_mixtral},
                                {"qwen2moe", add_qwen2}};

// ---- tensors ----

/// All tensors of the folder, in file order, and where their bytes come from.
class Sources {
 public:
  explicit Sources(const MoeModel& model)
      : model_(model),
        storage_(storage_dtype(model.original)),
        shape_of_all_(model.layer(model.first_routed())) {
    const ModelConfig& config = model.original.config();
    for (const ExpectedTensor& tensor : expected_tensors(config)) {
      const bool routed = tensor.layer >= 0 && tensor.role != Role::embedding &&
                          tensor.role != Role::final_norm && tensor.role != Role::head &&
                          model.routed[static_cast<std::size_t>(tensor.layer)];
      if (routed && is_ffn(tensor.role)) continue;
      add(model.original.store().at(tensor.name));
      if (tensor.role == Role::q && model.target->model_type == std::string_view("qwen2_moe") &&
          !config.qkv_bias)
        add_zero_biases(tensor.layer);
      if (routed && tensor.role == Role::ffn_norm) add_experts(static_cast<int>(tensor.layer));
    }
  }

  const std::vector<TensorSpec>& specs() const { return specs_; }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const TensorSpec& spec : specs_) sum += spec.bytes();
    return sum;
  }

  std::vector<std::byte> bytes_of(const TensorSpec& spec) {
    std::vector<std::byte> bytes(spec.bytes());
    if (const auto view = views_.find(spec.name); view != views_.end()) {
      read_elements(*view->second, 0, bytes);
      release_pages(view->second->bytes);
    } else if (const auto layer = layers_.find(spec.name); layer != layers_.end()) {
      load(layer->second);
      const auto values =
          tensors_.at(spec.name).to(at::kCPU, spec.dtype == DType::f32 ? at::kFloat : storage_).contiguous();
      std::memcpy(bytes.data(), values.data_ptr(), bytes.size());
    }
    return bytes;  // else zeros
  }

 private:
  static std::string prefix(int layer) { return fmt::format("model.layers.{}.", layer); }

  void add(const TensorView& view) {
    if (view.dtype == DType::other)
      throw Refusal(fmt::format("Tensor {} has the unknown dtype {}.", view.name, view.dtype_text),
                    "The file is damaged, or another program made it.", view.file);
    specs_.push_back({view.name, view.dtype, view.shape});
    views_.emplace(view.name, &view);
  }

  void add_zero_biases(std::int64_t layer) {
    for (const Role role : {Role::q_bias, Role::k_bias, Role::v_bias})
      specs_.push_back({tensor_name(role, layer), model_.original.converted_dtype(),
                        tensor_shape(role, model_.original.config())});
  }

  void add_experts(int layer) {
    const DType dtype = model_.original.converted_dtype();
    for (const MoeTensor& tensor : folder_tensors(*model_.target, *shape_of_all_)) {
      specs_.push_back(
          {prefix(layer) + tensor.name, tensor.exact ? DType::f32 : dtype, tensor.values.sizes().vec()});
      layers_.emplace(specs_.back().name, layer);
    }
  }

  /// Keeps the tensors of one layer, because those of a layer are asked for one after another.
  void load(int layer) {
    if (layer == loaded_) return;
    loaded_ = layer;
    tensors_.clear();
    for (const MoeTensor& tensor : folder_tensors(*model_.target, *model_.layer(layer)))
      tensors_.emplace(prefix(layer) + tensor.name, tensor.values);
  }

  const MoeModel& model_;
  at::ScalarType storage_;
  std::shared_ptr<const StandardMoe> shape_of_all_;
  std::vector<TensorSpec> specs_;
  std::map<std::string, const TensorView*> views_;  // tensors of the original
  std::map<std::string, int> layers_;               // tensors of experts: their layer
  std::map<std::string, at::Tensor> tensors_;       // of the layer `loaded_`
  int loaded_ = -1;
};

}  // namespace

std::vector<MoeTensor> folder_tensors(const MoeClass& target, const StandardMoe& layer) {
  std::vector<MoeTensor> tensors;
  const auto add = [&](std::string name, at::Tensor values, bool exact = false) {
    tensors.push_back({std::move(name), std::move(values), exact});
  };
  const std::string_view name = target.name;
  if (name == "granitemoeshared") {
    add("block_sparse_moe.router.layer.weight", layer.router, true);
    add("block_sparse_moe.input_linear.weight", at::cat({layer.gate, layer.up}, 1));
    add("block_sparse_moe.output_linear.weight", layer.down);
    if (!layer.shared_gate.defined()) return tensors;
    add("shared_mlp.input_linear.weight", at::cat({layer.shared_gate, layer.shared_up}));
    add("shared_mlp.output_linear.weight", layer.shared_down);
    return tensors;
  }
  const bool mixtral = name == "mixtral";
  const std::string block = mixtral ? "block_sparse_moe" : "mlp";
  const std::array<const char*, 3> names =
      mixtral ? std::array{"w1", "w3", "w2"} : std::array{"gate_proj", "up_proj", "down_proj"};
  add(block + ".gate.weight", layer.router, true);
  if (layer.selection_bias.defined())
    add(block + ".gate.e_score_correction_bias", layer.selection_bias, true);
  for (std::int64_t e = 0; e < layer.experts(); ++e) {
    const auto expert = fmt::format("{}.experts.{}.", block, e);
    add(expert + names[0] + ".weight", layer.gate[e]);
    add(expert + names[1] + ".weight", layer.up[e]);
    add(expert + names[2] + ".weight", layer.down[e]);
  }
  if (!layer.shared_gate.defined()) return tensors;
  const std::string shared = target.shared_gated ? "mlp.shared_expert" : "mlp.shared_experts";
  add(shared + ".gate_proj.weight", layer.shared_gate);
  add(shared + ".up_proj.weight", layer.shared_up);
  add(shared + ".down_proj.weight", layer.shared_down);
  if (layer.shared_router.defined()) add(shared + "_gate.weight", layer.shared_router, true);
  return tensors;
}

int MoeModel::first_routed() const {
  const auto first = std::ranges::find(routed, true);
  if (first == routed.end()) throw Error("A MoE class needs a layer with experts.");
  return static_cast<int>(first - routed.begin());
}

Json moe_config(const MoeModel& model) {
  Json json = common_config(model, model.original.files().read_json("config.json"));
  const auto* own = std::ranges::find(own_keys, std::string_view(model.target->name), &OwnKeys::name);
  own->add(model, *model.layer(model.first_routed()), json);
  return json;
}

std::uint64_t moe_folder_bytes(const MoeModel& model) { return Sources(model).bytes(); }

void write_moe_folder(const MoeModel& model, const std::filesystem::path& folder, std::uint64_t shard_bytes,
                      const Context& context) {
  Sources sources(model);
  Progress progress(context, static_cast<std::int64_t>(sources.bytes()));
  const auto bytes_of = [&](const TensorSpec& spec) {
    auto bytes = sources.bytes_of(spec);
    progress.advance(static_cast<std::int64_t>(bytes.size()));
    return bytes;
  };
  write_sharded(folder, sources.specs(), shard_bytes, bytes_of, {{"format", "pt"}});
  write_json(folder / "config.json", moe_config(model));
}

}  // namespace ladimo
