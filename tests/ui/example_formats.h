// What the engine answers about export formats, and the results of exports.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace ladimo::testing {

inline nlohmann::json example_format(const char* format, const char* title, bool gguf) {
  return {{"format", format},
          {"title", title},
          {"gguf", gguf},
          {"expressible", true},
          {"possible", true},
          {"reason", nullptr},
          {"hint", nullptr},
          {"dense_layers", 0},
          {"k", nullptr},
          {"kl", 0.0198},
          {"activated_fraction", 0.8},
          {"bytes", 6.2e6}};
}

/// A format that needs a fit.
inline nlohmann::json example_fitted_format(const char* format, const char* title, bool gguf) {
  auto json = example_format(format, title, gguf);
  json["expressible"] = false;
  json["reason"] = std::string(title) + (gguf ? " in GGUF" : "") +
                   " cannot express this: it has no thresholds, but layer 0 has one.";
  json["hint"] = "Use {fit} for the closest model that the format supports, or choose {format} native.";
  json["k"] = 24;
  json["kl"] = 0.0412;
  json["activated_fraction"] = 0.755;
  json["bytes"] = gguf ? 3.3e6 : 6.1e6;
  return json;
}

/// What `ladimo export --formats` says of a policy with thresholds.
inline nlohmann::json example_formats() {
  auto leading = example_fitted_format("glm4moe", "GLM-4-MoE", false);
  leading["dense_layers"] = 1;
  leading["kl"] = 0.0305;
  auto impossible = example_fitted_format("qwen2moe", "Qwen2-MoE", true);
  impossible["possible"] = false;
  impossible["reason"] = "Qwen2-MoE in GGUF has no place for a SentencePiece tokenizer.";
  impossible["hint"] = "Choose another {format}.";
  for (const char* key : {"dense_layers", "k", "kl", "activated_fraction", "bytes"})
    impossible[key] = nullptr;
  return {
      {"formats",
       {example_format("native", "LaDiMo Studio", false), leading,
        example_fitted_format("glm4moe", "GLM-4-MoE", true),
        example_fitted_format("granitemoeshared", "GraniteMoeShared", false),
        example_fitted_format("granitemoeshared", "GraniteMoeShared", true),
        example_fitted_format("mixtral", "Mixtral", false), example_fitted_format("mixtral", "Mixtral", true),
        example_fitted_format("qwen2moe", "Qwen2-MoE", false), impossible}}};
}

/// What `ladimo export` prints. `file` is empty for a folder.
inline nlohmann::json example_export(const std::string& format, const std::string& path,
                                     const std::string& file = {}, bool fit = false) {
  nlohmann::json json{{"format", format},
                      {"path", path},
                      {"files", {file.empty() ? "model.safetensors" : file}},
                      {"bytes", 6291456},
                      {"tokens", 512},
                      {"max_logit_error", 0.00002},
                      {"kl_against_run", fit ? 0.031 : 0},
                      {"fit", nullptr}};
  const auto numbers = [](double kl, double activated) {
    return nlohmann::json{{"kl", kl}, {"activated_fraction", activated}};
  };
  if (fit)
    json["fit"] = {{"tokens", 12240},
                   {"wanted", numbers(0.0204, 0.801)},
                   {"as_it_is", numbers(0.0931, 0.755)},
                   {"fitted", numbers(0.0287, 0.755)}};
  return json;
}

}  // namespace ladimo::testing
