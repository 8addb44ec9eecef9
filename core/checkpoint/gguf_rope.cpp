#include "checkpoint/gguf_rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace ladimo {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view llama3_tensor = "rope_freqs.weight", long_tensor = "rope_factors_long.weight",
                           short_tensor = "rope_factors_short.weight";

// What llama.cpp's converter assumes of every Llama 3; it does not write the parameters themselves.
constexpr double low_frequency_factor = 1, high_frequency_factor = 4;
constexpr double usual_positions = 8192;
constexpr double rounding = 1e-4;  // relative; the converter computes in fp32

const TensorView* find(const Gguf& gguf, std::string_view name) {
  const auto found = std::ranges::find(gguf.tensors, name, &TensorView::name);
  return found == gguf.tensors.end() ? nullptr : &*found;
}

[[noreturn]] void refuse(const TensorView& view, const std::string& complaint) {
  throw Refusal(fmt::format("{}: tensor {} {}", view.file.filename().string(), view.name, complaint),
                "Use the checkpoint in the Hugging Face layout.", view.file);
}

/// The factors, one per pair of rotated dimensions.
std::vector<double> factors_of(const TensorView& view, const RopeBase& base) {
  const std::size_t count = view.elements();
  if (static_cast<std::int64_t>(count) != base.dimensions / 2)
    refuse(view, fmt::format("contains {} factors for {} rotated dimensions.", count, base.dimensions));
  std::vector<float> values(count);
  dequantise(*view.stored, view.bytes, values);
  std::vector<double> factors;
  for (const float value : values) {
    if (!(value > 0) || !std::isfinite(value)) refuse(view, "contains a factor that is not above 0.");
    factors.push_back(shortest_decimal(value));
  }
  return factors;
}

double wave_length(const RopeBase& base, std::size_t pair) {
  const double exponent = 2 * static_cast<double>(pair) / static_cast<double>(base.dimensions);
  return 2 * std::numbers::pi * std::pow(base.theta, exponent);
}

/// The factor of llama3 for a wave length, as in the converter.
double llama3_factor(double length, double factor, double positions) {
  if (length < positions / high_frequency_factor) return 1;
  if (length > positions / low_frequency_factor) return factor;
  const double smooth =
      (positions / length - low_frequency_factor) / (high_frequency_factor - low_frequency_factor);
  return 1 / ((1 - smooth) / factor + smooth);
}

bool are_llama3(const std::vector<double>& factors, const RopeBase& base, double factor, double positions) {
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const double wanted = llama3_factor(wave_length(base, i), factor, positions);
    if (std::abs(factors[i] - wanted) > rounding * wanted) return false;
  }
  return true;
}

/// The original context length, from the first factor that is neither 1 nor the largest.
std::optional<double> positions_from(const std::vector<double>& factors, const RopeBase& base,
                                     double factor) {
  for (std::size_t i = 0; i < factors.size(); ++i)
    if (factors[i] > 1 + rounding && factors[i] < factor * (1 - rounding)) {
      const double smooth = (1 / factors[i] - 1 / factor) / (1 - 1 / factor);
      const double span = high_frequency_factor - low_frequency_factor;
      return std::round(wave_length(base, i) * (smooth * span + low_frequency_factor));
    }
  return std::nullopt;
}

Json llama3(const TensorView& view, const RopeBase& base) {
  const auto factors = factors_of(view, base);
  const double factor = *std::ranges::max_element(factors);
  if (std::ranges::all_of(factors, [](double one) { return one == 1; })) return nullptr;
  for (const double positions : {usual_positions, positions_from(factors, base, factor).value_or(0)})
    if (positions >= 1 && are_llama3(factors, base, factor, positions))
      return {{"rope_type", "llama3"},
              {"factor", factor},
              {"low_freq_factor", low_frequency_factor},
              {"high_freq_factor", high_frequency_factor},
              {"original_max_position_embeddings", static_cast<std::int64_t>(positions)}};
  refuse(view, "contains factors of rotary frequencies that are not those of llama3.");
}

/// Reads `rope.scaling.*`.
class Scaling {
 public:
  Scaling(const Gguf& gguf, const std::string& arch) : metadata_(gguf.metadata), prefix_(arch + ".rope.") {}

  std::optional<double> number(std::string_view key) const {
    return metadata_.number(prefix_ + std::string(key));
  }
  std::optional<std::string> type() const { return metadata_.text(prefix_ + "scaling.type"); }
  std::optional<std::int64_t> original_positions() const {
    return metadata_.whole(prefix_ + "scaling.original_context_length");
  }
  [[noreturn]] void refuse(std::string_view key, std::string_view complaint) const {
    metadata_.refuse(prefix_ + std::string(key), complaint, "Use the checkpoint in the Hugging Face layout.");
  }
  /// Refuses a key whose value changes the computation in a way that config.json has no word for.
  void only(std::string_view key, double neutral) const {
    if (const auto value = number(key); value && *value != neutral)
      refuse(key, fmt::format("is {}; only {} is supported.", *value, neutral));
  }

 private:
  const GgufMetadata& metadata_;
  std::string prefix_;
};

Json longrope(const TensorView& longer, const TensorView& shorter, const Scaling& scaling,
              const RopeBase& base) {
  Json json{{"rope_type", "longrope"},
            {"short_factor", factors_of(shorter, base)},
            {"long_factor", factors_of(longer, base)}};
  const auto stored = scaling.number("scaling.attn_factor");
  const auto original = static_cast<double>(scaling.original_positions().value_or(base.positions));
  const double factor = static_cast<double>(base.positions) / original;
  const double natural = factor > 1 ? std::sqrt(1 + std::log(factor) / std::log(original)) : 1;
  // transformers computes it; a model that was made with another one says so.
  if (stored && std::abs(*stored - natural) > 1e-6 * natural) json["attention_factor"] = *stored;
  return json;
}

Json yarn(const Scaling& scaling) {
  Json json{{"rope_type", "yarn"}, {"factor", scaling.number("scaling.factor").value_or(1)}};
  if (const auto positions = scaling.original_positions())
    json["original_max_position_embeddings"] = *positions;
  if (const auto beta = scaling.number("scaling.yarn_beta_fast")) json["beta_fast"] = *beta;
  if (const auto beta = scaling.number("scaling.yarn_beta_slow")) json["beta_slow"] = *beta;
  scaling.only("scaling.attn_factor", 1);
  scaling.only("scaling.yarn_attn_factor", 1);
  scaling.only("scaling.yarn_ext_factor", 1);
  scaling.only("scaling.yarn_log_multiplier", 0);
  return json;
}

Json by_keys(const Scaling& scaling) {
  const auto factor = scaling.number("scaling.factor");
  const auto old_factor = scaling.number("scale_linear");  // of files made before rope.scaling.type
  const std::string type = scaling.type().value_or(old_factor.value_or(1) != 1 ? "linear" : "none");
  if (type == "yarn") return yarn(scaling);
  if (type == "linear") return {{"rope_type", "linear"}, {"factor", factor.value_or(old_factor.value_or(1))}};
  if (type != "none") scaling.refuse("scaling.type", fmt::format("is \"{}\", which is not supported.", type));
  scaling.only("scaling.factor", 1);
  return nullptr;
}

}  // namespace

bool is_rope_tensor(std::string_view name) {
  return name == llama3_tensor || name == long_tensor || name == short_tensor;
}

void add_rope(const Gguf& gguf, const std::string& arch, const RopeBase& base, Json& config) {
  const Scaling scaling(gguf, arch);
  const auto *freqs = find(gguf, llama3_tensor), *longer = find(gguf, long_tensor),
             *shorter = find(gguf, short_tensor);
  config["rope_theta"] = base.theta;
  const bool by_type = scaling.type() && *scaling.type() != "none" && *scaling.type() != "longrope";
  for (const TensorView* tensor : {freqs, longer, shorter})
    if (tensor != nullptr && (by_type || (tensor != freqs && (freqs || !longer || !shorter))))
      refuse(*tensor, "contradicts what the file says elsewhere about rotary frequencies.");
  if (freqs != nullptr) {
    config["rope_scaling"] = llama3(*freqs, base);
  } else if (longer != nullptr) {
    config["rope_scaling"] = longrope(*longer, *shorter, scaling, base);
    if (const auto positions = scaling.original_positions())
      config["original_max_position_embeddings"] = *positions;
  } else {
    config["rope_scaling"] = by_keys(scaling);
  }
}

}  // namespace ladimo
