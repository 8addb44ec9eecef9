#include "ui/models/run_summary.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <QLocale>
#include <QStringList>

#include "base/error.h"
#include "base/format.h"
#include "base/json_fields.h"
#include "policy/predictor.h"
#include "policy/routing_profile.h"
#include "policy/tradeoff_table.h"
#include "run/recipe.h"
#include "ui/models/sentences.h"

namespace ladimo::ui {
namespace {

QString number(double value) { return QString::fromStdString(format_number(value)); }
QString percent(double share) { return number(share * 100) + QStringLiteral(" %"); }

QString text_in_words(const Recipe& recipe) {
  if (recipe.self_text()) return QObject::tr("text that the model wrote itself");
  QStringList names;
  for (const auto& file : recipe.text) names << QString::fromStdString(file.filename().string());
  return names.join(QStringLiteral(", "));
}

LayerRow& row_of(int layer, RunSummary& run) {
  const auto at = std::ranges::lower_bound(run.layers, layer, {}, &LayerRow::layer);
  if (at != run.layers.end() && at->layer == layer) return *at;
  LayerRow row;
  row.layer = layer;
  return *run.layers.insert(at, std::move(row));
}

void read_recipe(const nlohmann::json& json, RunSummary& run) {
  const Recipe recipe = recipe_from_json(json, "recipe.json");
  run.model = QString::fromStdString(recipe.model.filename().string());
  run.text = text_in_words(recipe);
  run.tokens = recipe.tokens;
  run.experts = recipe.experts;
  run.shared = recipe.shared;
  for (const int layer : recipe.layers) row_of(layer, run);
}

void read_records(const JsonFields& show, RunSummary& run) {
  for (const JsonFields& record : show.objects("layers")) {
    if (!record.has("loss_after")) continue;  // not finished yet
    LayerRow& row = row_of(record.small("layer"), run);
    row.converted = true;
    row.loss_before = record.number("loss_before");
    row.loss_after = record.number("loss_after");
    ++run.converted_layers;
  }
}

void read_policy(const nlohmann::json& json, RunSummary& run) {
  run.policy = policy_from_json(json, "policy.json");
  for (std::size_t layer = 0; layer < run.policy->layers.size(); ++layer) {
    const LayerPolicy& policy = run.policy->layers[layer];
    LayerRow& row = row_of(static_cast<int>(layer), run);
    row.policy = policy;
    if (policy.kind != LayerPolicy::Kind::dense) row.experts_on = policy.mean_experts;
  }
}

void read_tradeoff(const nlohmann::json& json, RunSummary& run) {
  const TradeoffTable table = tradeoff_table_from_json(json);
  const Predictor predictor(table, nullptr);
  run.dense_perplexity = std::exp(table.dense_nll);
  for (const LayerTable& layer : table.layers) {
    LayerRow& row = row_of(layer.layer, run);
    if (!row.policy) continue;
    const Candidate priced = predictor.evaluate(layer.layer, *row.policy);
    row.kl = priced.kl;
    row.activated = priced.activated / layer.candidates.front().activated;
  }
}

void read_profile(const nlohmann::json& json, RunSummary& run) {
  for (LayerProfile& profile : routing_profile_from_json(json).layers) {
    LayerRow& row = row_of(profile.layer, run);
    row.routed = profile.routed;
    row.routing_weights = std::move(profile.all);
  }
}

nlohmann::json parse(const QByteArray& bytes) {
  try {
    return nlohmann::json::parse(bytes.begin(), bytes.end());
  } catch (const nlohmann::json::exception& error) {
    throw Refusal("The engine's description of the run cannot be understood: " + std::string(error.what()),
                  "The engine and the studio may be of different versions. Install them together.");
  }
}

}  // namespace

RunSummary read_summary(const QByteArray& bytes) {
  const nlohmann::json json = parse(bytes);
  const JsonFields show(json, "description of the run");
  RunSummary run;
  read_recipe(show.at("recipe"), run);
  read_records(show, run);
  if (show.has("policy")) read_policy(show.at("policy"), run);
  if (show.has("tradeoff")) read_tradeoff(show.at("tradeoff"), run);
  if (show.has("profile")) read_profile(show.at("profile"), run);
  return run;
}

QString description(const RunSummary& run) {
  const QLocale english(QLocale::English);
  return QObject::tr(
             "%1 of %2 layers converted  ·  %3 experts a layer, %4 of them shared  ·  "
             "calibrated on %5 tokens from %6")
      .arg(run.converted_layers)
      .arg(run.layers.size())
      .arg(run.experts)
      .arg(run.shared)
      .arg(english.toString(qlonglong{run.tokens}), run.text);
}

QString consequences(const RunSummary& run) {
  if (!run.policy)
    return QObject::tr("No policy has been chosen yet: <code>ladimo policy RUN --activated 0.8</code>");
  const bool measured = run.policy->measured.has_value();
  const PolicyNumbers& numbers = measured ? *run.policy->measured : run.policy->predicted;
  QString perplexity = number(numbers.perplexity);
  if (run.dense_perplexity > 0 && !measured)  // a measurement may have been made on other text
    perplexity = number(run.dense_perplexity) + QStringLiteral(" → ") + perplexity;
  QStringList parts{QObject::tr("KL %1 nats per token").arg(number(numbers.kl)),
                    QObject::tr("perplexity %1").arg(perplexity),
                    QObject::tr("%1 of the parameters activated").arg(percent(numbers.activated_fraction)),
                    QObject::tr("%1 of the FFNs'").arg(percent(numbers.ffn_activated))};
  if (numbers.decode_ms) parts << QObject::tr("%1 ms per token").arg(number(*numbers.decode_ms));
  const QString sentence = parts.join(QStringLiteral(" &nbsp;·&nbsp; "));
  return measured ? QObject::tr("<b>%1</b> &nbsp;(measured)").arg(sentence)
                  : QObject::tr("%1 &nbsp;(predicted)").arg(sentence);
}

}  // namespace ladimo::ui
