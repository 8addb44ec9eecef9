#include "ui/models/run_data.h"

#include <algorithm>

#include <QFileInfo>

#include "base/error.h"
#include "base/json_fields.h"
#include "policy/predictor.h"

namespace ladimo::ui {
namespace {

nlohmann::json parse(const QByteArray& bytes) {
  try {
    return nlohmann::json::parse(bytes.begin(), bytes.end());
  } catch (const nlohmann::json::exception& error) {
    throw Refusal("The engine's description of the run cannot be understood: " + std::string(error.what()),
                  "The engine and the studio may be of different versions. Install them together.");
  }
}

std::vector<LayerRecord> finished(const JsonFields& show) {
  std::vector<LayerRecord> records;
  const auto layers = show.objects("layers");
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (layers[i].flag("done")) records.push_back(layer_record_from_json(show.at("layers")[i]));
  std::ranges::sort(records, {}, &LayerRecord::layer);
  return records;
}

/// A policy that the run's tables can price, or a Refusal that names `path`.
Policy fitting_policy(const nlohmann::json& json, const TradeoffTable& table,
                      const std::filesystem::path& path) {
  return naming_file(path, [&] {
    Policy policy = policy_from_json(json, path);
    require_model(policy, table.fingerprint, table.layers.size(), path);
    Predictor(table, nullptr).numbers(policy.layers);
    return policy;
  });
}

std::map<QString, Policy> named_policies(const nlohmann::json& json, const TradeoffTable& table) {
  std::map<QString, Policy> policies;
  for (const auto& [name, content] : json.items())
    policies.emplace(QString::fromStdString(name),
                     fitting_policy(content, table, std::filesystem::path("policies") / (name + ".json")));
  return policies;
}

/// Reads what depends on the trade-off table: a policy means nothing without it.
void read_policies(const JsonFields& show, RunData& run) {
  if (show.has("policy")) run.policy = fitting_policy(show.at("policy"), *run.tradeoff, "policy.json");
  if (show.has("policies")) run.policies = named_policies(show.at("policies"), *run.tradeoff);
  for (const Measurement& measurement : run.measurements)
    fitting_policy(to_json(measurement.policy), *run.tradeoff, "measurements.json");
}

/// Refuses tables that are drawn together but are not of the same layers and experts.
void require_same_shape(const RunData& run) {
  const auto refuse = [](const char* file, const std::string& complaint) {
    throw Refusal("The run's tables do not belong together: " + complaint,
                  "Remove that file from the run and convert again: it is made anew.", file);
  };
  const int layers = run.layer_count();
  for (const LayerRecord& record : run.records)
    if (record.layer < 0 || record.layer >= layers)
      refuse("layers", "there is a record of layer " + std::to_string(record.layer) + ".");
  if (!run.profile) return;
  for (const LayerProfile& profile : run.profile->layers) {
    const std::string layer = "layer " + std::to_string(profile.layer);
    if (profile.layer < 0 || profile.layer >= layers)
      refuse("profile.json", "the routing profile has a " + layer + ".");
    if (run.tradeoff && profile.routed != run.tradeoff->routed)
      refuse("profile.json", layer + " has another number of routed experts.");
  }
}

RunData read(const nlohmann::json& json, const QString& folder) {
  const JsonFields show(json, "description of the run");
  RunData run;
  run.folder = folder;
  run.recipe = recipe_from_json(show.at("recipe"), "recipe.json");
  run.records = finished(show);
  if (show.has("profile")) run.profile = routing_profile_from_json(show.at("profile"));
  if (show.has("tradeoff")) run.tradeoff = tradeoff_table_from_json(show.at("tradeoff"));
  if (show.has("latency")) {
    run.latency = latency_table_from_json(show.at("latency"));
    run.latency->decode_curve();  // refuses a table without points
  }
  if (show.has("measurements"))
    for (const auto& measurement : show.at("measurements"))
      run.measurements.push_back(measurement_from_json(measurement));
  require_same_shape(run);
  if (run.tradeoff) read_policies(show, run);
  if (show.has("own_text"))
    for (const std::string& document : show.texts("own_text"))
      run.own_text << QString::fromStdString(document);
  return run;
}

template <class Items>
auto* of_layer(Items& items, int layer) {
  const auto at = std::ranges::find(items, layer, [](const auto& item) { return item.layer; });
  return at == items.end() ? nullptr : &*at;
}

}  // namespace

QString RunData::name() const { return QFileInfo(folder).fileName(); }

const LayerProfile* RunData::profile_of(int layer) const {
  return profile ? of_layer(profile->layers, layer) : nullptr;
}

const LayerRecord* RunData::record_of(int layer) const { return of_layer(records, layer); }

int RunData::layer_count() const {
  if (tradeoff) return static_cast<int>(tradeoff->layers.size());
  return recipe.layers.empty() ? 0 : recipe.layers.back() + 1;
}

RunData read_run(const QByteArray& json, const QString& folder) { return read(parse(json), folder); }

Measurement measurement_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "measurement");
  Measurement found;
  found.date = QString::fromStdString(fields.text("date"));
  found.machine = QString::fromStdString(fields.text("machine"));
  found.split = QString::fromStdString(fields.text("split"));
  for (const std::string& file : fields.texts("text")) found.text << QString::fromStdString(file);
  found.tokens = fields.integer("tokens");
  found.window = fields.small("window");
  found.policy = policy_from_json(fields.at("policy"));
  found.numbers = policy_numbers_from_json(fields.at("numbers"));
  found.dense_perplexity = fields.number("dense_perplexity");
  found.same_top = fields.number("same_top");
  found.same_top_se = fields.number("same_top_se");
  const JsonFields percentiles = fields.object("kl_percentiles");
  for (const auto& [percentile, nats] : fields.at("kl_percentiles").items())
    found.kl_percentiles[QString::fromStdString(percentile).toInt()] = percentiles.number(percentile);
  return found;
}

}  // namespace ladimo::ui
