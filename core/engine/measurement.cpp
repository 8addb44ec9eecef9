#include "engine/measurement.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "engine/converted_model.h"
#include "evaluate/evaluation.h"

namespace ladimo {
namespace {

/// A dense model has nothing to be compared with: its own numbers move to nll and perplexity, the rest is
/// null.
void forget_comparison(nlohmann::json& json) {
  for (const char* key : {"dense_nll", "dense_perplexity", "kl", "kl_percentiles", "same_top", "same_top_se"})
    json[key] = nullptr;
}

}  // namespace

nlohmann::json evaluate(const EvaluationRequest& request, const Runtime& runtime, const Context& context) {
  const auto opened = OpenedModel::open(request.model, request.dense);
  const auto policy = opened.policy(request.policy);
  const auto tokenizer = load_tokenizer(opened.checkpoint.folder());
  const WeightSource source(opened.checkpoint, runtime.device, at::kFloat);
  auto window = request.window;
  if (window == 0)
    window = opened.run ? opened.run->recipe().window : default_window(source.config().max_positions);
  if (window < 2 || window > source.config().max_positions)
    throw Refusal("A window of " + std::to_string(window) + " tokens does not fit this model.",
                  "Use 2 to " + std::to_string(source.config().max_positions) + ".",
                  opened.checkpoint.folder());
  const auto windows = evaluation_windows(request.text, *tokenizer, window, request.tokens);
  const auto moe = opened.run ? run_layers(*opened.run, runtime.device, at::kFloat) : MoeProvider();
  const auto scores = score(source, moe, windows, {policy.layers}, context);

  auto json = to_json(summarise(scores, 0));
  const auto numbers = to_json(measured_numbers(summarise(scores, 0), scores.policies[0], source.config()));
  for (const char* key : {"activated_parameters", "activated_fraction", "ffn_activated"})
    json[key] = numbers[key];
  auto domains = nlohmann::json::array();
  for (std::size_t i = 0; i < request.text.size(); ++i) {
    auto domain = to_json(summarise(scores, 0, static_cast<std::int32_t>(i)));
    domain["text"] = request.text[i].string();
    if (!opened.run) forget_comparison(domain);
    domains.push_back(std::move(domain));
  }
  if (!opened.run) forget_comparison(json);
  json["domains"] = std::move(domains);
  json["tasks"] = nlohmann::json::array();
  json["window"] = window;
  json["mean_experts"] = scores.policies[0].mean_experts;
  return json;
}

}  // namespace ladimo
