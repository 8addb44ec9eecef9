#include "checkpoint/config.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "checkpoint/config_keys.h"
#include "checkpoint/tensor_names.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;

// Generous limits that keep every product of sizes inside 64 bits.
constexpr std::int64_t most_layers = 4096;
constexpr std::int64_t most_heads = 4096;
constexpr std::int64_t largest_size = 1 << 24;
constexpr std::int64_t most_positions = std::int64_t{1} << 31;

constexpr std::size_t listed_keys = 5;  // unknown keys that are named

// An architecture, and what Hugging Face transformers assumes for keys that config.json lacks.
struct Architecture {
  const char* name;
  const char* model_type;
  std::int64_t positions;
  std::int64_t kv_heads;        // 0: as many as heads
  std::int64_t sliding_window;  // 0: none
};

constexpr Architecture architectures[] = {{"LlamaForCausalLM", "llama", 2048, 0, 0},
                                          {"MistralForCausalLM", "mistral", 131072, 8, 4096}};

std::optional<std::int64_t> whole_number(const Json& json) {
  const bool too_large = json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX;
  if (!json.is_number_integer() || too_large) return std::nullopt;
  return json.get<std::int64_t>();
}

// The elements of a list in words: 1, "a" or true.
std::string spelled(const Json& list) {
  std::string words;
  for (std::size_t i = 0; i < list.size(); ++i)
    words += (i == 0 ? "" : i + 1 == list.size() ? " or " : ", ") + list[i].dump();
  return words;
}

// Reads one JSON object of config.json. A bad value adds a problem that names the key, and the fallback takes
// its place.
class Reader {
 public:
  Reader(const Json& json, std::string prefix, const fs::path& path, std::vector<Problem>& problems)
      : json_(json), prefix_(std::move(prefix)), path_(path), problems_(problems) {}

  // The value of a key, or a null pointer when it is absent or null.
  const Json* value(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  bool mentions(const char* key) const { return json_.contains(key); }

  void complain(const std::string& key, const std::string& what, const std::string& hint) const {
    problems_.push_back({fmt::format("config.json: {}{} {}", prefix_, key, what), hint, path_});
  }
  void complain_value(const char* key, const std::string& wanted) const {
    complain(key, fmt::format("is {}; it must be {}.", spelled_json(*value(key)), wanted),
             "Correct config.json or fetch it again.");
  }

  // Reads a whole number from 1 to `most`. Without a fallback the key is required.
  std::int64_t size(const char* key, std::int64_t most, std::optional<std::int64_t> fallback = {}) const {
    const Json* found = value(key);
    if (found == nullptr && !fallback)
      complain(key, "is missing.", "Fetch config.json again from where the checkpoint came from.");
    if (found == nullptr) return fallback.value_or(0);
    const auto number = whole_number(*found);
    if (number && *number >= 1 && *number <= most) return *number;
    complain_value(key, fmt::format("a whole number from 1 to {}", most));
    return fallback.value_or(0);
  }

  double positive(const char* key, std::optional<double> fallback = {}) const {
    const Json* found = value(key);
    if (found == nullptr && !fallback)
      complain(key, "is missing.", "Fetch config.json again from where the checkpoint came from.");
    if (found == nullptr) return fallback.value_or(1);
    if (found->is_number() && found->get<double>() > 0 && std::isfinite(found->get<double>()))
      return found->get<double>();
    complain_value(key, "a number above 0");
    return fallback.value_or(1);
  }

  bool flag(const char* key) const {
    const Json* found = value(key);
    if (found == nullptr) return false;
    if (!found->is_boolean()) complain_value(key, "true or false");
    return found->is_boolean() && found->get<bool>();
  }

  std::string text(const char* key) const {
    const Json* found = value(key);
    if (found == nullptr) return {};
    if (!found->is_string()) complain_value(key, "a string");
    return found->is_string() ? found->get<std::string>() : std::string();
  }

  // Complains about every key that this program would ignore although it could change the computation.
  template <std::size_t N>
  void only(const std::string_view (&known)[N]) const {
    std::size_t unknown = 0;
    for (const auto& [key, entry] : json_.items()) {
      const auto has_key = [&key = key](std::string_view candidate) { return candidate == key; };
      if (entry.is_null() || std::ranges::any_of(known, has_key) ||
          std::ranges::any_of(harmless_config_keys, has_key))
        continue;
      const auto* agreed = std::ranges::find_if(
          agreed_config_keys, [&](const AgreedKey& candidate) { return has_key(candidate.key); });
      if (agreed != std::end(agreed_config_keys)) {
        const Json values = Json::parse(agreed->values);
        if (std::ranges::find(values, entry) == values.end())
          complain(key, fmt::format("is {}; only {} is known here.", spelled_json(entry), spelled(values)),
                   "Use a model that computes as LLaMA or Mistral does.");
      } else if (entry != false && entry != "" && !(entry.is_structured() && entry.empty())) {
        if (++unknown > listed_keys) continue;
        const bool quantised = key == "quantization_config";
        complain(key, "is not known here, and it may change the computation.",
                 quantised ? "Use the checkpoint before quantisation (F32, F16 or BF16)."
                           : "Remove the key if the model computes as LLaMA or Mistral does without it.");
      }
    }
    if (unknown > listed_keys)
      complain(fmt::format("{} more keys", unknown - listed_keys), "are not known here either.",
               "Use a model that computes as LLaMA or Mistral does.");
  }

  Reader object(const char* key) const { return {*value(key), prefix_ + key + ".", path_, problems_}; }

 private:
  const Json& json_;
  std::string prefix_;
  const fs::path& path_;
  std::vector<Problem>& problems_;
};

const Architecture& read_architecture(const Reader& reader, ModelConfig& config) {
  const Json* names = reader.value("architectures");
  const Architecture* known = nullptr;
  if (names != nullptr && names->is_array() && names->size() == 1 && names->front().is_string()) {
    config.architecture = names->front().get<std::string>();
    for (const Architecture& candidate : architectures)
      if (config.architecture == candidate.name) known = &candidate;
  }
  const bool by_type = names == nullptr || (names->is_array() && names->empty());
  for (const Architecture& candidate : architectures)
    if (by_type && reader.text("model_type") == candidate.model_type) {
      config.architecture = candidate.name;
      known = &candidate;
    }
  if (known == nullptr) {
    reader.complain(
        "architectures",
        names ? fmt::format("is {}, an unknown architecture.", spelled_json(*names)) : "is missing.",
        "LlamaForCausalLM and MistralForCausalLM can be converted.");
    return architectures[0];
  }
  const std::string type = reader.text("model_type");
  if (!type.empty() && type != known->model_type)
    reader.complain("model_type", fmt::format("is \"{}\", which does not fit {}.", type, known->name),
                    fmt::format("It should be \"{}\".", known->model_type));
  return *known;
}

void read_sizes(const Reader& reader, const Architecture& architecture, ModelConfig& config) {
  config.layers = reader.size("num_hidden_layers", most_layers);
  config.hidden_size = reader.size("hidden_size", largest_size);
  config.intermediate_size = reader.size("intermediate_size", largest_size);
  config.vocab_size = reader.size("vocab_size", largest_size);
  config.max_positions = reader.size("max_position_embeddings", most_positions, architecture.positions);
  if (config.max_positions == 1)
    reader.complain("max_position_embeddings", "is 1; a model needs 2 or more to predict anything.",
                    "Correct config.json or fetch it again.");
  config.heads = reader.size("num_attention_heads", most_heads);
  const bool kv_default = architecture.kv_heads > 0 && !reader.mentions("num_key_value_heads");
  config.kv_heads =
      reader.size("num_key_value_heads", most_heads, kv_default ? architecture.kv_heads : config.heads);
  if (config.heads == 0 || config.hidden_size == 0) return;
  if (config.kv_heads > 0 && config.heads % config.kv_heads != 0)
    reader.complain(
        "num_key_value_heads",
        fmt::format("is {}; it does not divide {} attention heads.", config.kv_heads, config.heads),
        "Correct config.json or fetch it again.");
  if (reader.value("head_dim") == nullptr && config.hidden_size % config.heads != 0)
    reader.complain(
        "num_attention_heads",
        fmt::format("is {}; it does not divide hidden_size {}.", config.heads, config.hidden_size),
        "Correct config.json, or give head_dim.");
  config.head_dim = reader.size("head_dim", most_heads, config.hidden_size / config.heads);
  if (config.head_dim % 2 != 0)
    reader.complain("head_dim", fmt::format("is {}; rotary embedding needs an even one.", config.head_dim),
                    "Correct config.json or fetch it again.");
}

// Old configs have rope_theta beside rope_scaling, new ones inside rope_parameters.
void read_rope(const Reader& reader, ModelConfig& config) {
  config.rope_theta = reader.positive("rope_theta", 1e4);
  const Json* old_spelling = reader.value("rope_scaling");
  const Json* new_spelling = reader.value("rope_parameters");
  if (old_spelling && new_spelling && *old_spelling != *new_spelling)
    reader.complain("rope_scaling", "contradicts rope_parameters.", "Remove one of them.");
  const char* key = old_spelling ? "rope_scaling" : "rope_parameters";
  if (!old_spelling && !new_spelling) return;
  if (!reader.value(key)->is_object()) return reader.complain_value(key, "an object or null");
  const Reader rope = reader.object(key);
  rope.only(used_rope_keys);
  config.rope_theta = rope.positive("rope_theta", config.rope_theta);
  const char* type_key = rope.value("rope_type") ? "rope_type" : "type";
  // As in transformers, no type means "default". A factor without a type may be any scaling.
  const bool plain = rope.value(type_key) == nullptr && rope.value("factor") == nullptr;
  const std::string type = plain ? "default" : rope.text(type_key);
  if (type == "linear" || type == "llama3") config.rope_scaling.factor = rope.positive("factor");
  if (type == "linear") {
    config.rope_scaling.kind = RopeScaling::Kind::linear;
  } else if (type == "llama3") {
    config.rope_scaling.kind = RopeScaling::Kind::llama3;
    config.rope_scaling.low_frequency_factor = rope.positive("low_freq_factor");
    config.rope_scaling.high_frequency_factor = rope.positive("high_freq_factor");
    config.rope_scaling.original_positions = rope.size("original_max_position_embeddings", most_positions);
    if (config.rope_scaling.high_frequency_factor <= config.rope_scaling.low_frequency_factor)
      rope.complain("high_freq_factor", "must be larger than low_freq_factor.",
                    "Correct config.json or fetch it again.");
  } else if (type != "default") {
    rope.complain(type_key,
                  type.empty() ? "is missing." : fmt::format("is \"{}\", an unknown rope type.", type),
                  "linear, llama3 and default are known.");
  }
}

// Reads which positions attention sees.
void read_attention_span(const Reader& reader, const Architecture& architecture, ModelConfig& config) {
  const bool silent = !reader.mentions("sliding_window");
  if (architecture.sliding_window > 0)
    config.sliding_window =
        reader.size("sliding_window", most_positions, silent ? architecture.sliding_window : 0);
  else if (reader.value("sliding_window") != nullptr)
    reader.complain("sliding_window",
                    fmt::format("changes the computation in a way that {} does not know.", architecture.name),
                    "Set it to null if the model was trained without it.");
  const Json* types = reader.value("layer_types");
  if (types == nullptr) return;
  const char* wanted = config.sliding_window > 0 ? "sliding_attention" : "full_attention";
  const bool uniform = types->is_array() && std::all_of(types->begin(), types->end(),
                                                        [&](const Json& type) { return type == wanted; });
  if (!uniform)
    reader.complain(
        "layer_types",
        fmt::format("is {}; only \"{}\" in every layer is known here.", spelled_json(*types), wanted),
        "Models whose layers attend differently cannot be converted yet.");
}

void read_activation(const Reader& reader) {
  const std::string activation = reader.text("hidden_act");
  if (reader.value("hidden_act") && activation != "silu" && activation != "swish")
    reader.complain("hidden_act",
                    fmt::format("is {}, an unknown activation.", spelled_json(*reader.value("hidden_act"))),
                    "Only silu is known.");
  const Json* rotary = reader.value("partial_rotary_factor");
  if (rotary != nullptr && *rotary != 1)
    reader.complain("partial_rotary_factor", fmt::format("is {}; only 1 is known.", spelled_json(*rotary)),
                    "Models that rotate a part of each head cannot be converted yet.");
}

// A negative id means "none" in old configs.
std::vector<std::int64_t> read_tokens(const Reader& reader, const char* key, const ModelConfig& config,
                                      std::int64_t fallback) {
  if (!reader.mentions(key)) return {fallback};
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
    problems.push_back(
        {"config.json is not a JSON object.", "Fetch it again from where the checkpoint came from.", path});
    return config;
  }
  const Reader reader(json, "", path, problems);
  const Architecture& architecture = read_architecture(reader, config);
  read_sizes(reader, architecture, config);
  read_rope(reader, config);
  read_attention_span(reader, architecture, config);
  read_activation(reader);
  config.rms_eps = reader.positive("rms_norm_eps", 1e-6);
  if (config.rms_eps > 1) reader.complain_value("rms_norm_eps", "a number of at most 1");
  config.tied_head = reader.flag("tie_word_embeddings");
  config.attention_bias = reader.flag("attention_bias");
  config.mlp_bias = reader.flag("mlp_bias");
  const auto bos = read_tokens(reader, "bos_token_id", config, 1);
  config.bos = bos.empty() ? -1 : bos.front();
  config.eos = read_tokens(reader, "eos_token_id", config, 2);
  config.dtype = reader.text(reader.value("dtype") ? "dtype" : "torch_dtype");
  reader.only(used_config_keys);
  return config;
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
