#include "run/evaluation.h"

#include <algorithm>
#include <cmath>

#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<TextEvaluation> {
  static constexpr std::tuple all{Member{"activated_parameters", &TextEvaluation::activated_parameters},
                                  Member{"activated_fraction", &TextEvaluation::activated_fraction},
                                  Member{"ffn_activated", &TextEvaluation::ffn_activated},
                                  Member{"calibrated_on", &TextEvaluation::calibrated_on},
                                  Member{"window", &TextEvaluation::window},
                                  Member{"mean_experts", &TextEvaluation::mean_experts}};
};

namespace {

nlohmann::json to_json(const TextEvaluation& text) {
  auto json = to_json(text.scores);
  auto domains = nlohmann::json::array();
  for (const TextEvaluation::Domain& domain : text.domains) {
    domains.push_back(to_json(domain.scores));
    domains.back()["text"] = domain.text.string();
    domains.back().update(to_json(domain.seen));
  }
  json.update(members_to_json(text));
  json.update(to_json(text.seen));
  json["split"] = to_string(text.split);
  json["domains"] = std::move(domains);
  return json;
}

/// The keys of TextEvaluation when there is no text.
nlohmann::json without_text() {
  auto json = to_json(TextEvaluation());
  for (auto& value : json)
    if (!value.is_array()) value = nullptr;
  json["mean_experts"] = nullptr;
  json["tokens"] = 0;
  return json;
}

TextEvaluation text_from_json(const JsonFields& fields) {
  auto text = members_from_json<TextEvaluation>(fields);
  text.scores = text_scores_from_json(fields);
  text.split = evaluated_text_from_json(fields);
  text.seen = seen_shares_from_json(fields);
  for (const JsonFields& domain : fields.objects("domains"))
    text.domains.push_back(
        {domain.text("text"), text_scores_from_json(domain), seen_shares_from_json(domain)});
  return text;
}

nlohmann::json to_json(const std::optional<PairedAnswers>& paired, std::int64_t n) {
  if (!paired) return {};
  return {{"lost", paired->lost},
          {"gained", paired->gained},
          {"difference_se", paired->difference_se(n)},
          {"p", paired->p()}};
}

std::optional<PairedAnswers> paired_from_json(const JsonFields& fields, const char* key) {
  if (!fields.has(key)) return {};  // an engine of an earlier version has none
  const JsonFields paired = fields.object(key);
  return PairedAnswers{paired.integer("lost"), paired.integer("gained")};
}

}  // namespace

double PairedAnswers::difference_se(std::int64_t n) const {
  const auto count = static_cast<double>(n), both = static_cast<double>(lost + gained);
  const auto difference = static_cast<double>(gained - lost);
  return n > 0 ? std::sqrt(std::max(0.0, both - difference * difference / count)) / count : 0;
}

double PairedAnswers::p() const {
  const std::int64_t n = lost + gained;
  double tail = 0;
  for (std::int64_t k = 0; k <= std::min(lost, gained); ++k) {
    const auto in_all = static_cast<double>(n), in_tail = static_cast<double>(k);
    tail += std::exp(std::lgamma(in_all + 1) - std::lgamma(in_tail + 1) - std::lgamma(in_all - in_tail + 1) -
                     in_all * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

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
          {"kl_se", compared(scores.kl_se)},
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
  if (fields.has("kl_se")) scores.kl_se = fields.number("kl_se");  // an engine of an earlier version has none
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

nlohmann::json to_json(const TaskResult& result) {
  const auto dense = [&](double Accuracy::*share) {
    return result.dense ? nlohmann::json((*result.dense).*share) : nlohmann::json();
  };
  nlohmann::json json{{"task", result.task},
                      {"file", result.file.string()},
                      {"n", result.n},
                      {"acc", result.model.acc},
                      {"acc_se", result.model.acc_se},
                      {"acc_norm", result.model.acc_norm},
                      {"acc_norm_se", result.model.acc_norm_se},
                      {"dense_acc", dense(&Accuracy::acc)},
                      {"dense_acc_se", dense(&Accuracy::acc_se)},
                      {"dense_acc_norm", dense(&Accuracy::acc_norm)},
                      {"dense_acc_norm_se", dense(&Accuracy::acc_norm_se)},
                      {"paired", to_json(result.paired, result.n)},
                      {"paired_norm", to_json(result.paired_norm, result.n)}};
  json.update(to_json(result.seen));
  return json;
}

TaskResult task_result_from_json(const JsonFields& fields) {
  TaskResult result{fields.text("task"),
                    fields.integer("n"),
                    {fields.number("acc"), fields.number("acc_se"), fields.number("acc_norm"),
                     fields.number("acc_norm_se")},
                    {},
                    seen_shares_from_json(fields),
                    paired_from_json(fields, "paired"),
                    paired_from_json(fields, "paired_norm")};
  // An engine of an earlier version does not write the rest.
  if (fields.has("file")) result.file = fields.text("file");
  if (fields.has("dense_acc"))
    result.dense =
        Accuracy{fields.number("dense_acc"), fields.optional_number("dense_acc_se").value_or(0),
                 fields.number("dense_acc_norm"), fields.optional_number("dense_acc_norm_se").value_or(0)};
  return result;
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
  for (const JsonFields& task : fields.objects("tasks"))
    evaluation.tasks.push_back(task_result_from_json(task));
  return evaluation;
}

}  // namespace ladimo
