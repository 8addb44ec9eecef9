#include "ui/models/run_data.h"

#include <algorithm>

#include <QFileInfo>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json_fields.h"
#include "policy/predictor.h"
#include "ui/engine/answer.h"

namespace ladimo::ui {
namespace {

/// Throws a Refusal that names `path` unless the run's tables can price the policy.
void require_price(const Policy& policy, const TradeoffTable& table, const std::filesystem::path& path) {
  naming_file(path, [&] {
    require_model(policy, table.fingerprint, table.layers.size(), path);
    return Predictor(table, nullptr).numbers(policy.layers);
  });
}

void require_prices(const RunData& run) {
  if (run.policy) require_price(*run.policy, *run.tradeoff, "policy.json");
  for (const auto& [name, policy] : run.policies)
    require_price(policy, *run.tradeoff, std::filesystem::path("policies") / (name + ".json"));
  for (const Measurement& measurement : run.measurements)
    require_price(measurement.policy, *run.tradeoff, "measurements.json");
}

/// Refuses tables that are drawn together but differ in their layers or experts.
void require_same_shape(const RunData& run) {
  const auto refuse = [](const char* file, const std::string& complaint) {
    throw Refusal("The run's tables do not match: " + complaint,
                  "Delete that file and continue the conversion: it is made again.", file);
  };
  const int layers = run.layer_count();
  for (const LayerView& view : run.layers)
    if (view.layer < 0 || view.layer >= layers)
      refuse("layers", "there is a record of layer " + std::to_string(view.layer) + ".");
  if (!run.profile) return;
  for (const LayerProfile& profile : run.profile->layers) {
    const std::string layer = "layer " + std::to_string(profile.layer);
    if (profile.layer < 0 || profile.layer >= layers)
      refuse("profile.json", "the routing profile has a " + layer + ".");
    if (run.tradeoff && profile.routed != run.tradeoff->routed)
      refuse("profile.json", layer + " has another number of routed experts.");
  }
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

std::vector<LayerRecord> RunData::records() const {
  std::vector<LayerRecord> finished;
  for (const LayerView& view : layers)
    if (view.record) finished.push_back(*view.record);
  std::ranges::sort(finished, {}, &LayerRecord::layer);
  return finished;
}

const LayerRecord* RunData::record_of(int layer) const {
  const LayerView* view = of_layer(layers, layer);
  return view && view->record ? &*view->record : nullptr;
}

const InputProfile* RunData::inputs_of(int layer) const {
  if (!profile) return nullptr;
  const auto found = std::ranges::find(profile->inputs, layer, &InputProfile::layer);
  return found == profile->inputs.end() ? nullptr : &*found;
}

int RunData::layer_count() const {
  if (tradeoff) return static_cast<int>(tradeoff->layers.size());
  return recipe.layers.empty() ? 0 : recipe.layers.back() + 1;
}

RunData read_run(const QByteArray& json, const QString& folder) {
  RunData run{run_view_from_json(parse_answer(json)), folder};
  // Throws if the table has no points.
  if (run.latency && !run.recipe.layers.empty()) run.latency->decode_curve();
  require_same_shape(run);
  if (run.tradeoff) require_prices(run);
  return run;
}

}  // namespace ladimo::ui
