#include "ui/models/run_history.h"

#include <utility>

#include <QDateTime>

#include "base/json_fields.h"
#include "ui/models/policy_editor.h"

namespace ladimo::ui {
namespace {

nlohmann::json parse(const QByteArray& bytes) {
  const auto json = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (json.is_discarded())
    throw Refusal("The engine's answer cannot be understood.",
                  "The engine and the studio may be of different versions. Install them together.");
  return json;
}

PolicyNumbers numbers_of(const JsonFields& result) {
  PolicyNumbers numbers;
  numbers.kl = result.number("kl");
  numbers.perplexity = result.number("perplexity");
  numbers.activated_parameters = result.number("activated_parameters");
  numbers.activated_fraction = result.number("activated_fraction");
  numbers.ffn_activated = result.number("ffn_activated");
  return numbers;
}

}  // namespace

RunHistory& RunHistory::of(PolicyEditor& editor) {
  auto* history = editor.findChild<RunHistory*>(QString(), Qt::FindDirectChildrenOnly);
  return history ? *history : *new RunHistory(editor);
}

RunHistory::RunHistory(PolicyEditor& editor)
    : QObject(&editor), measurements_(editor.run().measurements), policies_(editor.run().policies) {}

void RunHistory::add(Measurement measurement) {
  measurements_.push_back(std::move(measurement));
  emit measurements_changed();
}

void RunHistory::set_policy(const QString& name, Policy policy) {
  policies_.insert_or_assign(name, std::move(policy));
  emit policies_changed();
}

void RunHistory::remove_policy(const QString& name) {
  if (policies_.erase(name) > 0) emit policies_changed();
}

Measurement measurement_of(const QByteArray& bytes, const Policy& policy, const QStringList& text,
                           const QString& machine) {
  const nlohmann::json json = parse(bytes);
  const JsonFields result(json, "result of the evaluation");
  Measurement measurement;
  measurement.date = QDateTime::currentDateTimeUtc().toString(Qt::ISODate);
  measurement.machine = machine;
  measurement.split = text.isEmpty() ? QStringLiteral("checking") : QStringLiteral("text");
  measurement.text = text;
  measurement.tokens = result.integer("tokens");
  measurement.window = result.small("window");
  measurement.policy = policy;
  measurement.numbers = numbers_of(result);
  measurement.dense_perplexity = result.number("dense_perplexity");
  measurement.same_top = result.number("same_top");
  measurement.same_top_se = result.number("same_top_se");
  const JsonFields percentiles = result.object("kl_percentiles");
  for (const int percent : {50, 95, 99, 100})
    measurement.kl_percentiles[percent] = percentiles.number(std::to_string(percent));
  return measurement;
}

}  // namespace ladimo::ui
