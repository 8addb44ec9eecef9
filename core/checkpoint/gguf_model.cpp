#include "checkpoint/gguf_model.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "checkpoint/float_bits.h"
#include "checkpoint/gguf_rope.h"
#include "checkpoint/gguf_vocabulary.h"

namespace ladimo {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* use_hugging_face = "Use the checkpoint in the Hugging Face layout.";

struct Arch {
  std::string_view name;  // general.architecture, and the prefix of its keys
  const char* architecture;
  const char* model_type;
  bool interleaved;  // rows of q and k are in GGUF's order
  bool says_biases;  // config.json says whether there are biases
};

constexpr Arch archs[] = {{"llama", "LlamaForCausalLM", "llama", true, true},
                          {"qwen2", "Qwen2ForCausalLM", "qwen2", false, false},
                          {"qwen3", "Qwen3ForCausalLM", "qwen3", false, true},
                          {"phi3", "Phi3ForCausalLM", "phi3", false, false},
                          {"granite", "GraniteForCausalLM", "granite", true, true}};

/// Keys of an architecture that are read here or in gguf_rope.cpp.
constexpr std::string_view used_keys[] = {"vocab_size",
                                          "context_length",
                                          "embedding_length",
                                          "block_count",
                                          "feed_forward_length",
                                          "attention.head_count",
                                          "attention.head_count_kv",
                                          "attention.key_length",
                                          "attention.value_length",
                                          "attention.layer_norm_rms_epsilon",
                                          "attention.sliding_window",
                                          "rope.dimension_count",
                                          "rope.freq_base",
                                          "rope.scale_linear",
                                          "rope.scaling.type",
                                          "rope.scaling.factor",
                                          "rope.scaling.attn_factor",
                                          "rope.scaling.original_context_length",
                                          "rope.scaling.yarn_log_multiplier",
                                          "rope.scaling.yarn_ext_factor",
                                          "rope.scaling.yarn_attn_factor",
                                          "rope.scaling.yarn_beta_fast",
                                          "rope.scaling.yarn_beta_slow"};

/// Keys that do not affect the computation.
constexpr std::string_view harmless_keys[] = {"tensor_data_layout", "rope.scaling.finetuned",
                                              "attention.layer_norm_epsilon"};

struct Multiplier {
  std::string_view key;
  const char* in_config;
};
constexpr Multiplier granite_multipliers[] = {{"attention.scale", "attention_multiplier"},
                                              {"embedding_scale", "embedding_multiplier"},
                                              {"residual_scale", "residual_multiplier"},
                                              {"logit_scale", "logits_scaling"}};

struct TensorRow {
  std::string_view gguf, hugging_face;
};

constexpr TensorRow outer_tensors[] = {{"token_embd.weight", "model.embed_tokens.weight"},
                                       {"output_norm.weight", "model.norm.weight"},
                                       {"output.weight", "lm_head.weight"}};

/// Modules of a layer, whose tensors are called .weight and .bias in both.
constexpr TensorRow layer_modules[] = {{"attn_norm", "input_layernorm"},
                                       {"attn_q", "self_attn.q_proj"},
                                       {"attn_k", "self_attn.k_proj"},
                                       {"attn_v", "self_attn.v_proj"},
                                       {"attn_qkv", "self_attn.qkv_proj"},
                                       {"attn_output", "self_attn.o_proj"},
                                       {"attn_q_norm", "self_attn.q_norm"},
                                       {"attn_k_norm", "self_attn.k_norm"},
                                       {"ffn_norm", "post_attention_layernorm"},
                                       {"ffn_gate", "mlp.gate_proj"},
                                       {"ffn_up", "mlp.up_proj"},
                                       {"ffn_down", "mlp.down_proj"}};

const Arch& arch_of(const GgufMetadata& metadata) {
  if (const auto type = metadata.text("general.type"); type && *type != "model")
    metadata.refuse("general.type", fmt::format("is \"{}\"; this is not a whole model.", *type),
                    "Use the file of the language model itself.");
  const auto name = metadata.text("general.architecture");
  if (!name) metadata.refuse("general.architecture", "is missing.");
  const auto* found = std::ranges::find(archs, std::string_view(*name), &Arch::name);
  if (found == std::end(archs)) {
    std::vector<std::string_view> known;
    for (const Arch& arch : archs) known.push_back(arch.name);
    metadata.refuse("general.architecture", fmt::format("is \"{}\", an unknown architecture.", *name),
                    fmt::format("{} are supported.", fmt::join(known, ", ")));
  }
  return *found;
}

bool has_tensor(const Gguf& gguf, std::string_view name) {
  return std::ranges::find(gguf.tensors, name, &TensorView::name) != gguf.tensors.end();
}

template <class T>
bool says(const GgufValue& value, T wanted) {
  const auto* found = std::get_if<T>(&value);
  return found != nullptr && *found == wanted;
}

/// Whether a value leaves the feature out that its key names.
bool is_neutral(const GgufValue& value) {
  return says(value, false) || says(value, std::uint64_t{0}) || says(value, std::int64_t{0}) ||
         says(value, 0.0F) || says(value, std::string_view());
}

/// Reads the keys of one architecture.
class Keys {
 public:
  Keys(const Gguf& gguf, const Arch& arch) : metadata_(gguf.metadata), arch_(arch) {}

  std::string name(std::string_view key) const { return fmt::format("{}.{}", arch_.name, key); }
  std::optional<std::int64_t> whole(std::string_view key) const { return metadata_.whole(name(key)); }
  std::optional<double> number(std::string_view key) const { return metadata_.number(name(key)); }
  std::int64_t needed(std::string_view key) const {
    const auto value = whole(key);
    if (!value) metadata_.refuse(name(key), "is missing.");
    return *value;
  }

  /// Refuses keys that would be ignored although they could change the computation.
  void refuse_unknown() const {
    const std::string prefix = fmt::format("{}.", arch_.name);
    for (const auto& [key, value] : metadata_.values()) {
      if (!key.starts_with(prefix)) continue;
      const auto rest = std::string_view(key).substr(prefix.size());
      const bool known =
          std::ranges::find(used_keys, rest) != std::end(used_keys) ||
          std::ranges::find(harmless_keys, rest) != std::end(harmless_keys) ||
          (arch_.name == "granite" &&
           std::ranges::find(granite_multipliers, rest, &Multiplier::key) != std::end(granite_multipliers));
      const bool causal = rest == "attention.causal" && says(value, true);
      if (known || causal || is_neutral(value)) continue;
      metadata_.refuse(key, "is not supported, and it may change the computation.", use_hugging_face);
    }
  }

 private:
  const GgufMetadata& metadata_;
  const Arch& arch_;
};

void add_sizes(const Gguf& gguf, const Keys& keys, Json& config) {
  const auto heads = keys.needed("attention.head_count"), hidden = keys.needed("embedding_length");
  config["hidden_size"] = hidden;
  config["intermediate_size"] = keys.needed("feed_forward_length");
  config["num_hidden_layers"] = keys.needed("block_count");
  config["num_attention_heads"] = heads;
  config["num_key_value_heads"] = keys.whole("attention.head_count_kv").value_or(heads);
  config["max_position_embeddings"] = keys.needed("context_length");
  // The embedding has a row for every token, as in llama.cpp. Without tokens its rows are all that is known.
  const auto tokens = gguf.metadata.texts("tokenizer.ggml.tokens");
  std::int64_t count = tokens ? static_cast<std::int64_t>(tokens->size()) : 0;
  for (const TensorView& view : gguf.tensors)
    if (!tokens && view.name == "token_embd.weight") count = view.shape.front();
  config["vocab_size"] = keys.whole("vocab_size").value_or(count);
}

/// Dimensions of a head; 0 where the sizes do not give it, which the reader of config.json refuses.
std::int64_t add_head_dim(const Gguf& gguf, const Keys& keys, Json& config) {
  const auto heads = config["num_attention_heads"].get<std::int64_t>();
  const auto given = keys.whole("attention.key_length");
  if (const auto values = keys.whole("attention.value_length"); values && given.value_or(*values) != *values)
    gguf.metadata.refuse(keys.name("attention.value_length"),
                         fmt::format("is {}, but the length of keys is {}; only equal ones are supported.",
                                     *values, given.value_or(0)),
                         use_hugging_face);
  if (given) config["head_dim"] = *given;
  return given.value_or(heads > 0 ? config["hidden_size"].get<std::int64_t>() / heads : 0);
}

void add_positions(const Gguf& gguf, const Keys& keys, const Arch& arch, Json& config) {
  const auto head_dim = add_head_dim(gguf, keys, config);
  const auto rotated = keys.whole("rope.dimension_count").value_or(head_dim);
  if (rotated != head_dim && head_dim > 0)
    config["partial_rotary_factor"] = static_cast<double>(rotated) / static_cast<double>(head_dim);
  const RopeBase base{rotated, keys.number("rope.freq_base").value_or(10000),
                      config["max_position_embeddings"].get<std::int64_t>()};
  add_rope(gguf, std::string(arch.name), base, config);
  const auto window = keys.whole("attention.sliding_window").value_or(0);
  if (window == 0) return;
  config["sliding_window"] = window;
  if (arch.name != "llama") return;
  // Of the models that share this architecture in GGUF, Mistral's have a window.
  config["architectures"] = {"MistralForCausalLM"};
  config["model_type"] = "mistral";
}

/// The ids of tokens that begin and end a text.
void add_tokens(const GgufMetadata& metadata, Json& config) {
  // As in llama.cpp, a SentencePiece vocabulary has these where it does not say which.
  const bool pieces = metadata.text("tokenizer.ggml.model") == "llama";
  const auto id = [&](const char* key, std::optional<std::int64_t> fallback) {
    const auto found = metadata.whole(key);
    return found ? found : fallback;
  };
  const auto bos = id("tokenizer.ggml.bos_token_id", pieces ? std::optional(1) : std::nullopt);
  config["bos_token_id"] = bos ? Json(*bos) : Json(nullptr);
  Json ends = Json::array();
  const auto add = [&](const std::optional<std::int64_t>& end) {
    if (end && std::ranges::find(ends, Json(*end)) == ends.end()) ends.push_back(*end);
  };
  add(id("tokenizer.ggml.eos_token_id", pieces ? std::optional(2) : std::nullopt));
  for (const char* key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) add(id(key, {}));
  for (const std::int64_t end : tokens_spelled_as_ends(metadata)) add(end);
  config["eos_token_id"] = ends.empty() ? Json(nullptr) : ends.size() == 1 ? ends.front() : ends;
  const auto pad = metadata.whole("tokenizer.ggml.padding_token_id");
  config["pad_token_id"] =
      pad ? Json(*pad) : Json(nullptr);  // else transformers assumes one in some families
}

/// The dtype as which a tensor is read, before vectors follow the matrices.
DType dtype_of(const GgmlType& type) {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16})
    if (std::string_view(type.name) == dtype_name(dtype)) return dtype;
  return DType::bf16;
}

bool is_vector(const TensorView& view) { return view.shape.size() == 1; }

/// The dtype that most elements of matrices have.
DType matrix_dtype(const std::vector<TensorView>& tensors) {
  std::map<DType, std::size_t> elements;
  for (const TensorView& view : tensors)
    if (!is_vector(view)) elements[dtype_of(*view.stored)] += view.elements();
  const auto most = std::ranges::max_element(elements, {}, [](const auto& entry) { return entry.second; });
  return most == elements.end() ? DType::f32 : most->first;
}

/// Whether `dtype` can hold all values of an F32 tensor.
bool is_exact(const TensorView& view, DType dtype) {
  for (std::size_t i = 0; i < view.elements(); ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, view.bytes.data() + i * sizeof bits, sizeof bits);
    const float value = std::bit_cast<float>(bits);
    const float rounded =
        dtype == DType::bf16 ? bfloat_value(nearest_bfloat(value)) : half_value(nearest_half(value));
    if (std::bit_cast<std::uint32_t>(rounded) != bits) return false;
  }
  return true;
}

void choose_dtype(TensorView& view, DType of_matrices) {
  const DType stored = dtype_of(*view.stored);
  const bool follows =
      is_vector(view) && stored == DType::f32 && of_matrices != DType::f32 && is_exact(view, of_matrices);
  view.dtype = follows ? of_matrices : stored;
  view.dtype_text = dtype_name(view.dtype);
  if (std::string_view(view.stored->name) == view.dtype_text) view.stored = nullptr;
}

/// The Hugging Face name of a tensor; nothing for one that is not known.
std::optional<std::string> hugging_face_name(std::string_view name, const Arch& arch) {
  for (const TensorRow& row : outer_tensors)
    if (name == row.gguf) return std::string(row.hugging_face);
  if (!name.starts_with("blk.")) return std::nullopt;
  name.remove_prefix(4);
  const auto dot = name.find('.'), end = name.rfind('.');
  if (dot == std::string_view::npos || end <= dot) return std::nullopt;
  const auto layer = name.substr(0, dot), module = name.substr(dot + 1, end - dot - 1),
             kind = name.substr(end + 1);
  const bool number = !layer.empty() && layer.size() < 6 &&
                      std::ranges::all_of(layer, [](char c) { return c >= '0' && c <= '9'; });
  if (!number || (kind != "weight" && kind != "bias")) return std::nullopt;
  // Phi-3 stores gate and up as one tensor, under the name of the second.
  const bool both = module == "ffn_up" && arch.name == "phi3";
  const auto* row = std::ranges::find(layer_modules, module, &TensorRow::gguf);
  if (row == std::end(layer_modules)) return std::nullopt;
  return fmt::format("model.layers.{}.{}.{}", layer, both ? "mlp.gate_up_proj" : row->hugging_face, kind);
}

/// Says that rows of a q or k projection are in GGUF's order, where their number fits the heads. What does
/// not fit is refused with the shapes.
void set_order(TensorView& view, const Arch& arch, const GgufMetadata& metadata) {
  if (!arch.interleaved) return;
  const bool q = view.name.find(".self_attn.q_proj.") != std::string::npos;
  if (!q && view.name.find(".self_attn.k_proj.") == std::string::npos) return;
  const std::string prefix = fmt::format("{}.attention.head_count", arch.name);
  const auto all = metadata.whole(prefix).value_or(0);
  const auto heads = q ? all : metadata.whole(prefix + "_kv").value_or(all);
  if (heads > 0 && view.shape.front() % (2 * heads) == 0) view.interleaved_heads = heads;
}

}  // namespace

std::string gguf_config(const Gguf& gguf) {
  const GgufMetadata& metadata = gguf.metadata;
  const Arch& arch = arch_of(metadata);
  const Keys keys(gguf, arch);
  keys.refuse_unknown();
  Json config;
  config["architectures"] = {arch.architecture};
  config["model_type"] = arch.model_type;
  add_sizes(gguf, keys, config);
  add_positions(gguf, keys, arch, config);
  const auto eps = keys.number("attention.layer_norm_rms_epsilon");
  if (!eps) metadata.refuse(keys.name("attention.layer_norm_rms_epsilon"), "is missing.");
  config["rms_norm_eps"] = *eps;
  config["hidden_act"] = "silu";
  config["tie_word_embeddings"] = !has_tensor(gguf, "output.weight");
  if (arch.says_biases) config["attention_bias"] = has_tensor(gguf, "blk.0.attn_q.bias");
  if (arch.says_biases && arch.name != "qwen3") config["mlp_bias"] = has_tensor(gguf, "blk.0.ffn_gate.bias");
  if (arch.name == "granite")
    for (const Multiplier& multiplier : granite_multipliers)
      if (const auto value = keys.number(multiplier.key)) config[multiplier.in_config] = *value;
  add_tokens(metadata, config);
  const DType dtype = matrix_dtype(gguf.tensors);
  config["torch_dtype"] = dtype == DType::f32 ? "float32" : dtype == DType::f16 ? "float16" : "bfloat16";
  if (const auto license = metadata.text("general.license")) config["license"] = *license;
  return config.dump(2, ' ', false, Json::error_handler_t::replace);
}

TensorStore gguf_tensors(Gguf gguf) {
  const Arch& arch = arch_of(gguf.metadata);
  const DType of_matrices = matrix_dtype(gguf.tensors);
  std::erase_if(gguf.tensors, [](const TensorView& view) { return is_rope_tensor(view.name); });
  for (TensorView& view : gguf.tensors) {
    choose_dtype(view, of_matrices);
    auto name = hugging_face_name(view.name, arch);
    if (!name)
      throw Refusal(fmt::format("{}: tensor {} has no place in the architecture {}.",
                                view.file.filename().string(), view.name, arch.name),
                    use_hugging_face, view.file);
    view.name = std::move(*name);
    set_order(view, arch, gguf.metadata);
  }
  return TensorStore(std::move(gguf.mapped), std::move(gguf.files), std::move(gguf.tensors));
}

std::string most_common_quantisation(const TensorStore& store) {
  std::map<std::string, std::size_t> elements;
  for (const auto& [name, view] : store.tensors()) {
    const bool quantised = view.stored != nullptr && view.stored->block_elements > 1;
    elements[quantised ? view.stored->name : ""] += view.elements();
  }
  const auto most = std::ranges::max_element(elements, {}, [](const auto& entry) { return entry.second; });
  return most == elements.end() ? std::string() : most->first;
}

}  // namespace ladimo
