#include "run/layer_store.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/files.h"
#include "base/hash.h"
#include "base/json_members.h"

namespace ladimo {
namespace fs = std::filesystem;

template <>
struct Members<LayerRecord> {
  static constexpr std::tuple all{Member{"layer", &LayerRecord::layer},
                                  Member{"loss_before", &LayerRecord::loss_before},
                                  Member{"loss_refit", &LayerRecord::loss_refit},
                                  Member{"loss_after", &LayerRecord::loss_after},
                                  Member{"router_r2", &LayerRecord::router_r2},
                                  Member{"held_out_losses", &LayerRecord::held_out_losses},
                                  Member{"hash", &LayerRecord::hash}};
};

namespace {

constexpr const char *stage1_folder = "layers", *sweep_folder = "second-sweep", *finish_folder = "finish";

nlohmann::json hash_or_null(const std::string& hash) {
  return hash.empty() ? nlohmann::json() : nlohmann::json(hash);
}

bool broken(const std::function<bool()>& holds) {
  try {
    return !holds();
  } catch (const Refusal&) {
    return true;
  }
}

}  // namespace

nlohmann::json to_json(const LayerRecord& record) {
  auto json = members_to_json(record);
  if (record.shape) json["shape"] = to_json(*record.shape);
  return json;
}

LayerRecord layer_record_from_json(const nlohmann::json& json, const fs::path& path) {
  const JsonFields fields(json, "layer record", path);
  auto record = members_from_json<LayerRecord>(fields);
  if (fields.has("shape"))
    record.shape = naming_file(path, [&] { return moe_shape_from_json(fields.at("shape")); });
  return record;
}

nlohmann::json to_json(const FinishRecord& record) {
  auto layers = nlohmann::json::array();
  for (const auto& [layer, hash] : record.hashes) layers.push_back({{"layer", layer}, {"hash", hash}});
  return {{"held_out_losses", record.held_out_losses}, {"layers", std::move(layers)}};
}

FinishRecord finish_record_from_json(const nlohmann::json& json, const fs::path& path) {
  const JsonFields fields(json, "finish record", path);
  FinishRecord record{fields.numbers("held_out_losses"), {}};
  for (const JsonFields& layer : fields.objects("layers"))
    record.hashes[layer.small("layer")] = layer.text("hash");
  return record;
}

MoeShape stored_shape(const TensorStore& store, const std::string& prefix,
                      const std::map<std::string, std::string>& metadata) {
  const auto has = [&](const char* name) { return store.contains(prefix + name); };
  const auto size = [&](const char* name) {
    double count = has(name) ? 1 : 0;
    if (has(name))
      for (const auto extent : store.at(prefix + name).shape) count *= static_cast<double>(extent);
    return count;
  };
  const auto &gate = store.at(prefix + "gate").shape, &router = store.at(prefix + "router").shape;
  const auto shared = metadata.find("shared_neurons");
  if (gate.size() != 2 || router.empty() || router[0] < 1 || shared == metadata.end())
    throw Refusal("This is not a converted layer.", "Delete the file. To rebuild the layer, {continue_run}.",
                  store.files().front());
  MoeShape shape;
  shape.hidden_size = gate[1];
  shape.shared_neurons = std::atoll(shared->second.c_str());
  shape.routed = router[0];
  shape.expert_neurons = (gate[0] - shape.shared_neurons) / shape.routed;
  for (const char* name : {"router", "router_bias", "router_hidden", "router_hidden_bias"})
    shape.router_parameters += size(name);
  shape.skipped_parameters = has("compensation") ? static_cast<double>(shape.hidden_size) : 0;
  shape.neuron_biases = has("gate_bias");
  shape.output_bias = has("down_bias");
  return shape;
}

struct LayerStore::Checked {
  std::mutex mutex;
  std::set<fs::path> files;
};

LayerStore::LayerStore(fs::path run) : run_(std::move(run)), checked_(std::make_shared<Checked>()) {}

fs::path LayerStore::file(const char* folder, int layer, const char* ending) const {
  return run_ / folder / fmt::format("{:03}.{}", layer, ending);
}

bool LayerStore::done(int layer) const {
  return fs::exists(file(stage1_folder, layer, "json")) &&
         fs::exists(file(stage1_folder, layer, "safetensors"));
}

bool LayerStore::is_intact(const File& weights) const {
  return fs::exists(weights.path) && hash_of_file(weights.path) == weights.hash;
}

bool LayerStore::intact(int layer) const {
  return done(layer) && !broken([&] { return is_intact(stage1_file(layer)); });
}

LayerRecord LayerStore::record(int layer) const {
  const auto path = file(stage1_folder, layer, "json");
  return layer_record_from_json(read_json(path), path);
}

MoeShape LayerStore::shape(int layer) const {
  if (const auto stored = record(layer).shape) return *stored;
  const auto store = TensorStore::open(file(stage1_folder, layer, "safetensors"));
  return stored_shape(store, "", store.metadata());
}

std::optional<SweepRecord> LayerStore::sweep(int layer) const {
  const auto path = file(sweep_folder, layer, "json");
  if (!fs::exists(path)) return {};
  const auto json = read_json(path);
  const JsonFields fields(json, "record of the second sweep", path);
  return SweepRecord{fields.small("layer"), fields.number("loss_before"), fields.number("loss_after"),
                     fields.has("hash") ? fields.text("hash") : std::string()};
}

bool LayerStore::sweep_done(int layer) const { return fs::exists(file(sweep_folder, layer, "json")); }

bool LayerStore::sweep_intact(int layer) const {
  return !broken([&] {
    const auto record = sweep(layer);
    return record &&
           (record->hash.empty() || is_intact({file(sweep_folder, layer, "safetensors"), record->hash}));
  });
}

std::optional<FinishRecord> LayerStore::finish() const {
  if (!fs::exists(finish_file())) return {};
  return finish_record_from_json(read_json(finish_file()), finish_file());
}

bool LayerStore::finish_intact() const {
  return !broken([&] {
    const auto record = finish();
    return record && std::ranges::all_of(record->hashes, [&](const auto& entry) {
             return is_intact({file(finish_folder, entry.first, "safetensors"), entry.second});
           });
  });
}

std::string LayerStore::written(const fs::path& weights, const Write& write) const {
  fs::create_directories(weights.parent_path());
  write(weights);
  auto hash = hash_of_file(weights);
  const std::lock_guard lock(checked_->mutex);
  checked_->files.insert(weights);
  return hash;
}

void LayerStore::put(LayerRecord record, const Write& write) const {
  record.hash = written(file(stage1_folder, record.layer, "safetensors"), write);
  write_json(file(stage1_folder, record.layer, "json"), to_json(record));
}

void LayerStore::put(SweepRecord record, const Write& write) const {
  const auto path = file(sweep_folder, record.layer, "json");
  fs::create_directories(path.parent_path());
  if (write) record.hash = written(file(sweep_folder, record.layer, "safetensors"), write);
  write_json(path, {{"layer", record.layer},
                    {"loss_before", record.loss_before},
                    {"loss_after", record.loss_after},
                    {"hash", hash_or_null(record.hash)}});
}

std::string LayerStore::put_finished(int layer, const Write& write) const {
  return written(file(finish_folder, layer, "safetensors"), write);
}

void LayerStore::put(const FinishRecord& record) const { write_json(finish_file(), to_json(record)); }

void LayerStore::require_done(int layer) const {
  if (!done(layer))
    throw Refusal(fmt::format("Layer {} is not converted in this run.", layer),
                  "To finish the run, {continue_run}.", run_);
}

LayerStore::File LayerStore::stage1_file(int layer) const {
  return {file(stage1_folder, layer, "safetensors"), record(layer).hash};
}

LayerStore::File LayerStore::file_before_finish(int layer) const {
  const auto record = sweep(layer);
  if (record && !record->hash.empty()) return {file(sweep_folder, layer, "safetensors"), record->hash};
  return stage1_file(layer);
}

fs::path LayerStore::checked(int layer, const File& weights) const {
  const std::lock_guard lock(checked_->mutex);
  if (!checked_->files.contains(weights.path) && !is_intact(weights))
    throw Refusal(
        fmt::format("Layer {} of this run is damaged: its weights are not what was written.", layer),
        "To rebuild the layer, {continue_run}.", weights.path);
  checked_->files.insert(weights.path);
  return weights.path;
}

fs::path LayerStore::stage1_weights(int layer) const {
  require_done(layer);
  return checked(layer, stage1_file(layer));
}

fs::path LayerStore::weights_before_finish(int layer) const {
  require_done(layer);
  return checked(layer, file_before_finish(layer));
}

fs::path LayerStore::weights(int layer) const {
  require_done(layer);
  if (const auto record = finish()) {
    const auto found = record->hashes.find(layer);
    if (found != record->hashes.end())
      return checked(layer, {file(finish_folder, layer, "safetensors"), found->second});
  }
  return checked(layer, file_before_finish(layer));
}

}  // namespace ladimo
