#include "run/sweep_record.h"

#include <fmt/format.h>

#include "base/files.h"
#include "base/json_fields.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

fs::path file_of(const RunFolder& run, int layer, const char* ending) {
  return run.path() / "second-sweep" / fmt::format("{:03}.{}", layer, ending);
}

}  // namespace

fs::path sweep_file(const RunFolder& run, int layer) { return file_of(run, layer, "json"); }

fs::path swept_weights(const RunFolder& run, int layer) { return file_of(run, layer, "safetensors"); }

std::optional<SweepRecord> read_sweep(const RunFolder& run, int layer) {
  const auto path = sweep_file(run, layer);
  if (!fs::exists(path)) return {};
  const auto json = read_json(path);
  const JsonFields fields(json, "record of the second sweep", path);
  return SweepRecord{fields.small("layer"), fields.number("loss_before"), fields.number("loss_after"),
                     fields.has("hash") ? fields.text("hash") : std::string()};
}

void write_sweep(const RunFolder& run, const SweepRecord& record) {
  write_json(sweep_file(run, record.layer),
             {{"layer", record.layer},
              {"loss_before", record.loss_before},
              {"loss_after", record.loss_after},
              {"hash", record.hash.empty() ? nlohmann::json() : nlohmann::json(record.hash)}});
}

bool sweep_intact(const RunFolder& run, int layer) {
  try {
    const auto record = read_sweep(run, layer);
    return record && (record->hash.empty() || WeightsFile{swept_weights(run, layer), record->hash}.intact());
  } catch (const Refusal&) {
    return false;
  }
}

WeightsFile weights_before_finish(const RunFolder& run, int layer) {
  const auto sweep = read_sweep(run, layer);
  if (sweep && !sweep->hash.empty()) return {swept_weights(run, layer), sweep->hash};
  return {run.layer_weights(layer), run.record(layer).hash};
}

}  // namespace ladimo
