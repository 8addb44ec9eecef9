#include "ui/models/evaluation_result.h"

#include <QDateTime>
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

PolicyNumbers numbers(const JsonFields& fields) {
  PolicyNumbers numbers;
  numbers.kl = fields.number("kl");
  numbers.perplexity = fields.number("perplexity");
  numbers.activated_parameters = fields.number("activated_parameters");
  numbers.activated_fraction = fields.number("activated_fraction");
  numbers.ffn_activated = fields.number("ffn_activated");
  return numbers;
}

}  // namespace

EvaluationResult read_evaluation(const QByteArray& bytes, const Policy& policy, const QStringList& text,
                                 const QString& machine) {
  const nlohmann::json json = parse(bytes);
  const JsonFields fields(json, "result of the evaluation");
  const TextScore all = score(fields);
  EvaluationResult result;
  Measurement& measurement = result.measurement;
  measurement.date = QDateTime::currentDateTimeUtc().toString(Qt::ISODate);
  measurement.machine = machine;
  measurement.split = text.isEmpty() ? QStringLiteral("checking") : QStringLiteral("text");
  measurement.text = text;
  measurement.tokens = all.tokens;
  measurement.window = fields.small("window");
  measurement.policy = policy;
  measurement.numbers = numbers(fields);
  measurement.dense_perplexity = all.dense_perplexity;
  measurement.same_top = all.same_top;
  measurement.same_top_se = all.same_top_se;
  measurement.kl_percentiles = all.kl_percentiles;
  for (const JsonFields& domain : fields.objects("domains")) {
    result.texts.push_back(score(domain));
    result.texts.back().text = QFileInfo(QString::fromStdString(domain.text("text"))).fileName();
  }
  return result;
}

TextScore score_of(const Measurement& m) {
  return {{},         m.tokens,      m.numbers.kl,    m.numbers.perplexity, m.dense_perplexity,
          m.same_top, m.same_top_se, m.kl_percentiles};
}

}  // namespace ladimo::ui
