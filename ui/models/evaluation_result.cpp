#include "ui/models/evaluation_result.h"

#include <QFileInfo>

#include "base/json_fields.h"

namespace ladimo::ui {
namespace {

nlohmann::json parse(const QByteArray& bytes) {
  auto json = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (json.is_discarded())
    throw Refusal("The engine's answer cannot be understood.",
                  "The engine and the studio may be of different versions. Install them together.");
  return json;
}

TextScore score(const JsonFields& fields) {
  TextScore score;
  score.text = QFileInfo(QString::fromStdString(fields.text("text"))).fileName();
  score.tokens = fields.integer("tokens");
  score.kl = fields.number("kl");
  score.perplexity = fields.number("perplexity");
  score.dense_perplexity = fields.number("dense_perplexity");
  score.same_top = fields.number("same_top");
  score.same_top_se = fields.number("same_top_se");
  const JsonFields percentiles = fields.object("kl_percentiles");
  for (const int percent : {50, 95, 99, 100})
    score.kl_percentiles[percent] = percentiles.number(std::to_string(percent));
  return score;
}

}  // namespace

EvaluationResult read_evaluation(const QByteArray& bytes) {
  const nlohmann::json json = parse(bytes);
  const JsonFields fields(json, "result of the evaluation");
  EvaluationResult result{measurement_from_json(fields.at("measurement")), {}};
  for (const JsonFields& domain : fields.objects("domains")) result.texts.push_back(score(domain));
  return result;
}

void read_times(const QByteArray& bytes, PolicyNumbers& numbers) {
  const nlohmann::json json = parse(bytes);
  const JsonFields fields(json, "result of the timing");
  constexpr double ms_per_s = 1000;
  const auto ms_per_token = [&](const char* kind) {
    return ms_per_s / fields.object(kind).number("converted_tokens_per_s");
  };
  numbers.decode_ms = ms_per_token("decode");
  numbers.prefill_ms = ms_per_token("prefill");
}

TextScore score_of(const Measurement& m) {
  return {{},         m.tokens,      m.numbers.kl,    m.numbers.perplexity, m.dense_perplexity,
          m.same_top, m.same_top_se, m.kl_percentiles};
}

}  // namespace ladimo::ui
