#include "run/evaluation.h"

#include "base/json_fields.h"

namespace ladimo {
namespace {

nlohmann::json to_json(const TextEvaluation& text) {
  auto json = to_json(text.scores);
  auto domains = nlohmann::json::array();
  for (const TextEvaluation::Domain& domain : text.domains) {
    domains.push_back(to_json(domain.scores));
    domains.back()["text"] = domain.text.string();
  }
  json.update(nlohmann::json{{"activated_parameters", text.activated_parameters},
                             {"activated_fraction", text.activated_fraction},
                             {"ffn_activated", text.ffn_activated},
                             {"split", to_string(text.split)},
                             {"calibrated_on", path_list(text.calibrated_on)},
                             {"window", text.window},
                             {"mean_experts", text.mean_experts},
                             {"domains", std::move(domains)}});
  return json;
}

/// The keys of a text where there is none.
nlohmann::json without_text() {
  nlohmann::json json{
      {"tokens", 0}, {"calibrated_on", nlohmann::json::array()}, {"domains", nlohmann::json::array()}};
  for (const char* key : {"nll", "perplexity", "dense_nll", "dense_perplexity", "kl", "kl_percentiles",
                          "same_top", "same_top_se", "activated_parameters", "activated_fraction",
                          "ffn_activated", "split", "window", "mean_experts"})
    json[key] = nullptr;
  return json;
}

TextEvaluation text_from_json(const JsonFields& fields) {
  TextEvaluation text;
  text.scores = text_scores_from_json(fields);
  text.activated_parameters = fields.number("activated_parameters");
  text.activated_fraction = fields.number("activated_fraction");
  text.ffn_activated = fields.number("ffn_activated");
  text.split = evaluated_text_from_json(fields);
  text.calibrated_on = fields.paths("calibrated_on");
  text.window = fields.integer("window");
  text.mean_experts = fields.numbers("mean_experts");
  for (const JsonFields& domain : fields.objects("domains"))
    text.domains.push_back({domain.text("text"), text_scores_from_json(domain)});
  return text;
}

nlohmann::json to_json(const TaskResult& result) {
  const auto dense = [&](double Accuracy::*share) {
    return result.dense ? nlohmann::json((*result.dense).*share) : nlohmann::json();
  };
  return {{"task", result.task},
          {"n", result.n},
          {"acc", result.model.acc},
          {"acc_se", result.model.acc_se},
          {"acc_norm", result.model.acc_norm},
          {"acc_norm_se", result.model.acc_norm_se},
          {"dense_acc", dense(&Accuracy::acc)},
          {"dense_acc_norm", dense(&Accuracy::acc_norm)}};
}

TaskResult task_from_json(const JsonFields& fields) {
  TaskResult result{fields.text("task"),
                    fields.integer("n"),
                    {fields.number("acc"), fields.number("acc_se"), fields.number("acc_norm"),
                     fields.number("acc_norm_se")},
                    {}};
  if (fields.has("dense_acc"))
    result.dense = Accuracy{fields.number("dense_acc"), 0, fields.number("dense_acc_norm"), 0};
  return result;
}

}  // namespace

nlohmann::json to_json(const TextScores& scores) {
  const auto compared = [&](const nlohmann::json& value) {
    return scores.compares ? value : nlohmann::json();
  };
  return {{"tokens", scores.tokens},
          {"nll", scores.nll},
          {"perplexity", scores.perplexity},
          {"dense_nll", compared(scores.dense_nll)},
          {"dense_perplexity", compared(scores.dense_perplexity)},
          {"kl", compared(scores.kl)},
          {"kl_percentiles", compared(percentiles_to_json(scores.kl_percentiles))},
          {"same_top", compared(scores.same_top)},
          {"same_top_se", compared(scores.same_top_se)}};
}

TextScores text_scores_from_json(const JsonFields& fields) {
  TextScores scores;
  scores.tokens = fields.integer("tokens");
  scores.nll = fields.number("nll");
  scores.perplexity = fields.number("perplexity");
  scores.compares = fields.has("kl");
  if (!scores.compares) return scores;
  scores.dense_nll = fields.number("dense_nll");
  scores.dense_perplexity = fields.number("dense_perplexity");
  scores.kl = fields.number("kl");
  scores.kl_percentiles = percentiles_from_json(fields);
  scores.same_top = fields.number("same_top");
  scores.same_top_se = fields.number("same_top_se");
  return scores;
}

nlohmann::json percentiles_to_json(const KlPercentiles& percentiles) {
  auto json = nlohmann::json::object();
  for (std::size_t i = 0; i < kl_percents.size(); ++i) json[std::to_string(kl_percents[i])] = percentiles[i];
  return json;
}

KlPercentiles percentiles_from_json(const JsonFields& fields) {
  const JsonFields object = fields.object("kl_percentiles");
  KlPercentiles percentiles{};
  for (std::size_t i = 0; i < kl_percents.size(); ++i)
    percentiles[i] = object.number(std::to_string(kl_percents[i]));
  return percentiles;
}

const char* to_string(EvaluatedText text) { return text == EvaluatedText::checking ? "checking" : "text"; }

EvaluatedText evaluated_text_from_json(const JsonFields& fields) {
  const auto split = fields.text("split");
  if (split == "checking") return EvaluatedText::checking;
  if (split != "text") fields.refuse("split", "is neither checking nor text");
  return EvaluatedText::named;
}

nlohmann::json to_json(const Evaluation& evaluation) {
  auto json = evaluation.text ? to_json(*evaluation.text) : without_text();
  json["tasks"] = nlohmann::json::array();
  for (const TaskResult& result : evaluation.tasks) json["tasks"].push_back(to_json(result));
  return json;
}

Evaluation evaluation_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "result of the evaluation");
  Evaluation evaluation;
  if (fields.has("nll")) evaluation.text = text_from_json(fields);
  for (const JsonFields& task : fields.objects("tasks")) evaluation.tasks.push_back(task_from_json(task));
  return evaluation;
}

}  // namespace ladimo
