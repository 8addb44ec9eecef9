#include "run/finish_record.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/files.h"
#include "base/json_fields.h"
#include "run/sweep_record.h"

namespace ladimo {
namespace fs = std::filesystem;

fs::path finish_file(const RunFolder& run) { return run.path() / "finish.json"; }

fs::path finished_weights(const RunFolder& run, int layer) {
  return run.path() / "finish" / fmt::format("{:03}.safetensors", layer);
}

nlohmann::json to_json(const FinishRecord& record) {
  auto layers = nlohmann::json::array();
  for (const auto& [layer, hash] : record.hashes) layers.push_back({{"layer", layer}, {"hash", hash}});
  return {{"held_out_losses", record.held_out_losses}, {"layers", std::move(layers)}};
}

FinishRecord finish_record_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "finish record");
  FinishRecord record{fields.numbers("held_out_losses"), {}};
  for (const JsonFields& layer : fields.objects("layers"))
    record.hashes[layer.small("layer")] = layer.text("hash");
  return record;
}

std::optional<FinishRecord> read_finish(const RunFolder& run) {
  const auto path = finish_file(run);
  if (!fs::exists(path)) return {};
  return naming_file(path, [&] { return finish_record_from_json(read_json(path)); });
}

void write_finish(const RunFolder& run, const FinishRecord& record) {
  write_json(finish_file(run), to_json(record));
}

bool finish_intact(const RunFolder& run) {
  try {
    const auto record = read_finish(run);
    return record && std::ranges::all_of(record->hashes, [&](const auto& entry) {
             return WeightsFile{finished_weights(run, entry.first), entry.second}.intact();
           });
  } catch (const Refusal&) {
    return false;
  }
}

WeightsFile weights_in_use(const RunFolder& run, int layer) {
  if (const auto finish = read_finish(run)) {
    const auto found = finish->hashes.find(layer);
    if (found != finish->hashes.end()) return {finished_weights(run, layer), found->second};
  }
  return weights_before_finish(run, layer);
}

}  // namespace ladimo
