#include "checkpoint/config.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "checkpoint/config_reader.h"
#include "checkpoint/families.h"
#include "checkpoint/rope_config.h"
#include "checkpoint/tensor_names.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;

const Family& read_family(const ConfigReader& reader, ModelConfig& config) {
  const Json* names = reader.value("architectures");
  const Family* known = nullptr;
  if (names != nullptr && names->is_array() && names->size() == 1 && names->front().is_string()) {
    config.architecture = names->front().get<std::string>();
    known = family_of(config.architecture);
  }
  const bool by_type = names == nullptr || (names->is_array() && names->empty());
  for (const Family& candidate : families())
    if (by_type && reader.text("model_type") == candidate.model_type) {
      config.architecture = candidate.architecture;
      known = &candidate;
    }
  if (known == nullptr) {
    reader.complain(
        "architectures",
        names ? fmt::format("is {}, an unknown architecture.", spelled_json(*names)) : "is missing.",
        fmt::format("{} can be converted.", known_architectures()));
    return families().front();
  }
  const std::string type = reader.text("model_type");
  if (!type.empty() && type != known->model_type)
    reader.complain("model_type", fmt::format("is \"{}\", which does not fit {}.", type, known->architecture),
                    fmt::format("It should be \"{}\".", known->model_type));
  return *known;
}

void read_sizes(const ConfigReader& reader, const Family& family, ModelConfig& config) {
  config.layers = reader.size("num_hidden_layers", most_layers);
  config.hidden_size = reader.size("hidden_size", largest_size);
  config.intermediate_size = reader.size("intermediate_size", largest_size);
  config.vocab_size = reader.size("vocab_size", largest_size);
  config.max_positions = reader.size("max_position_embeddings", most_positions, family.positions);
  if (config.max_positions == 1)
    reader.complain("max_position_embeddings", "is 1; a model needs 2 or more to predict anything.",
                    "Correct config.json or download it again.");
  config.heads = reader.size("num_attention_heads", most_heads);
  const bool kv_default = family.kv_heads > 0 && !reader.mentions("num_key_value_heads");
  config.kv_heads =
      reader.size("num_key_value_heads", most_heads, kv_default ? family.kv_heads : config.heads);
  if (config.heads == 0 || config.hidden_size == 0) return;
  if (config.kv_heads > 0 && config.heads % config.kv_heads != 0)
    reader.complain(
        "num_key_value_heads",
        fmt::format("is {}; it does not divide {} attention heads.", config.kv_heads, config.heads),
        "Correct config.json or download it again.");
  if (family.head_dim == 0 && reader.value("head_dim") == nullptr && config.hidden_size % config.heads != 0)
    reader.complain(
        "num_attention_heads",
        fmt::format("is {}; it does not divide hidden_size {}.", config.heads, config.hidden_size),
        "Correct config.json, or give head_dim.");
  config.head_dim = reader.size("head_dim", most_heads,
                                family.head_dim > 0 ? family.head_dim : config.hidden_size / config.heads);
  if (config.head_dim % 2 != 0)
    reader.complain("head_dim", fmt::format("is {}; rotary embedding needs an even one.", config.head_dim),
                    "Correct config.json or download it again.");
}

// Which layers see all positions although there is a sliding window, from layer_types or, without it, from
// max_window_layers.
std::vector<std::int64_t> read_full_layers(const ConfigReader& reader, const ModelConfig& config) {
  std::vector<std::int64_t> full;
  const Json* types = reader.value("layer_types");
  constexpr std::int64_t assumed = 28;  // by transformers in both Qwen families
  const std::int64_t first_window = reader.count("max_window_layers", most_layers, assumed);
  for (std::int64_t l = 0; l < config.layers; ++l) {
    const auto i = static_cast<std::size_t>(l);
    const bool named = types != nullptr && types->is_array() && i < types->size();
    if (named ? (*types)[i] == "full_attention" : l < first_window) full.push_back(l);
  }
  return full;
}

// Whether layer_types is a list that names one of `known` for every layer.
bool names_only(const Json& types, std::int64_t layers, std::initializer_list<const char*> known) {
  return types.is_array() && std::cmp_equal(types.size(), layers) &&
         std::ranges::all_of(types, [&](const Json& type) {
           return std::ranges::any_of(known, [&](const char* name) { return type == name; });
         });
}

void read_layer_types(const ConfigReader& reader, const Family& family, ModelConfig& config) {
  const Json* types = reader.value("layer_types");
  if (types == nullptr) return;
  const bool window = config.sliding_window > 0, mixed = window && family.span == AttentionSpan::by_layer;
  const char* wanted = window ? "sliding_attention" : "full_attention";
  const bool fits = mixed ? names_only(*types, config.layers, {"sliding_attention", "full_attention"})
                          : names_only(*types, config.layers, {wanted});
  if (fits) return;
  reader.complain(
      "layer_types",
      mixed ? fmt::format("is {}; it must name \"sliding_attention\" or \"full_attention\" for "
                          "each of {} layers.",
                          spelled_json(*types), config.layers)
            : fmt::format("is {}; only \"{}\" in every layer is supported.", spelled_json(*types), wanted),
      "Models whose layers attend in other ways cannot be converted.");
}

// Reads which positions attention sees.
void read_attention_span(const ConfigReader& reader, const Family& family, ModelConfig& config) {
  const bool by_layer = family.span == AttentionSpan::by_layer;
  const bool used = by_layer ? reader.flag("use_sliding_window") : family.span == AttentionSpan::window;
  const std::int64_t assumed = reader.mentions("sliding_window") ? 0 : family.sliding_window;
  if (used)
    config.sliding_window = reader.size("sliding_window", most_positions, assumed);
  else if (!by_layer && reader.value("sliding_window") != nullptr)
    reader.complain(
        "sliding_window",
        fmt::format("changes the computation in a way that {} does not know.", family.architecture),
        "Set it to null if the model was trained without it.");
  read_layer_types(reader, family, config);
  if (!by_layer || config.sliding_window == 0) return;
  config.full_attention_layers = read_full_layers(reader, config);
  if (std::cmp_equal(config.full_attention_layers.size(), config.layers)) {
    config.sliding_window = 0;
    config.full_attention_layers.clear();
  }
}

void read_activation(const ConfigReader& reader) {
  const std::string activation = reader.text("hidden_act");
  if (reader.value("hidden_act") && activation != "silu" && activation != "swish")
    reader.complain("hidden_act",
                    fmt::format("is {}, an unknown activation.", spelled_json(*reader.value("hidden_act"))),
                    "Only silu is supported.");
}

void read_biases(const ConfigReader& reader, const Family& family, ModelConfig& config) {
  const auto biased = [&](Biased when, const char* key) {
    return when == Biased::always || (when == Biased::by_config && reader.flag(key));
  };
  config.qkv_bias = biased(family.qkv_bias, "attention_bias");
  config.o_bias = biased(family.o_bias, "attention_bias");
  config.mlp_bias = biased(family.mlp_bias, "mlp_bias");
}

void read_multipliers(const ConfigReader& reader, ModelConfig& config) {
  config.embedding_multiplier = reader.positive("embedding_multiplier", 1);
  config.attention_multiplier = reader.positive("attention_multiplier", 1);
  config.residual_multiplier = reader.positive("residual_multiplier", 1);
  config.logits_scaling = reader.positive("logits_scaling", 1);
}

// A negative id means "none" in old configs.
std::vector<std::int64_t> read_tokens(const ConfigReader& reader, const char* key, const ModelConfig& config,
                                      std::int64_t fallback) {
  if (!reader.mentions(key))
    return fallback < 0 ? std::vector<std::int64_t>() : std::vector<std::int64_t>{fallback};
  const Json* found = reader.value(key);
  if (found == nullptr) return {};
  const Json list = found->is_array() ? *found : Json::array({*found});
  std::vector<std::int64_t> ids;
  for (const Json& id : list) {
    const auto number = whole_number(id);
    if (!number || *number >= std::max<std::int64_t>(config.vocab_size, 1)) {
      reader.complain_value(key, fmt::format("a token id below vocab_size {}", config.vocab_size));
      return {};
    }
    if (*number >= 0) ids.push_back(*number);
  }
  return ids;
}

}  // namespace

ModelConfig parse_config(const Json& json, const fs::path& path, std::vector<Problem>& problems) {
  ModelConfig config;
  if (!json.is_object()) {
    problems.push_back({"config.json is not a JSON object.", "Download it again.", path});
    return config;
  }
  const ConfigReader reader(json, "", path, problems);
  const Family& family = read_family(reader, config);
  read_sizes(reader, family, config);
  read_rope(reader, family, config);
  read_attention_span(reader, family, config);
  read_activation(reader);
  config.rms_eps = reader.positive("rms_norm_eps", family.rms_eps);
  if (config.rms_eps > 1) reader.complain_value("rms_norm_eps", "a number of at most 1");
  config.tied_head = reader.flag("tie_word_embeddings");
  read_biases(reader, family, config);
  config.qk_norm = family.qk_norm;
  if (family.multipliers) read_multipliers(reader, config);
  const auto bos = read_tokens(reader, "bos_token_id", config, family.bos);
  config.bos = bos.empty() ? -1 : bos.front();
  config.eos = read_tokens(reader, "eos_token_id", config, family.eos);
  config.dtype = reader.text(reader.value("dtype") ? "dtype" : "torch_dtype");
  reader.only({used_config_keys, family.keys}, family.harmless, family.agreed, family.name);
  return config;
}

std::string ModelConfig::family() const {
  const Family* known = family_of(architecture);
  return known ? known->name : "";
}

std::int64_t ModelConfig::rotary_dim() const {
  return static_cast<std::int64_t>(static_cast<double>(head_dim) * rotary_share);
}

std::int64_t ModelConfig::longest_alike(std::int64_t length) const {
  const RopeScaling::Kind kind = rope_scaling.kind;
  const bool by_length = kind == RopeScaling::Kind::dynamic || kind == RopeScaling::Kind::longrope;
  if (by_length && length <= rope_scaling.original_positions)
    return std::min(rope_scaling.original_positions, max_positions);
  return kind == RopeScaling::Kind::dynamic ? length : max_positions;
}

double ModelConfig::attention_scale() const {
  return attention_multiplier.value_or(1 / std::sqrt(static_cast<double>(head_dim)));
}

std::int64_t ModelConfig::sliding_window_of(std::int64_t layer) const {
  return std::ranges::find(full_attention_layers, layer) == full_attention_layers.end() ? sliding_window : 0;
}

std::int64_t ModelConfig::ffn_parameters_per_layer() const {
  return 3 * hidden_size * intermediate_size + (mlp_bias ? 2 * intermediate_size + hidden_size : 0);
}

std::int64_t ModelConfig::parameters() const {
  std::int64_t count = 0;
  for (const ExpectedTensor& tensor : expected_tensors(*this)) {
    std::int64_t size = 1;
    for (const std::int64_t dim : tensor.shape) size *= dim;
    count += size;
  }
  return count;
}

std::int64_t ModelConfig::activated_parameters() const {
  // A tied table counts as the head. The embedding row that is looked up is added, tied or not.
  return parameters() - (tied_head ? 0 : vocab_size * hidden_size) + hidden_size;
}

}  // namespace ladimo
