// What the end-to-end finish left in the run folder: finish.json, and finish/000.safetensors ... where it
// made the model better.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "run/run_folder.h"

namespace ladimo {

/// finish.json.
struct FinishRecord {
  /// Before, and after every epoch: mean over slider positions of ln(KL / KL before), on validation windows.
  std::vector<double> held_out_losses;
  std::map<int, std::string> hashes;  // of every layer's file; empty: the layers stay as they were
};

std::filesystem::path finish_file(const RunFolder& run);
std::filesystem::path finished_weights(const RunFolder& run, int layer);

nlohmann::json to_json(const FinishRecord& record);
/// Throws Refusal with the key.
FinishRecord finish_record_from_json(const nlohmann::json& json);

/// Nothing where the step was not done. Throws Refusal for a broken file.
std::optional<FinishRecord> read_finish(const RunFolder& run);
void write_finish(const RunFolder& run, const FinishRecord& record);

/// Whether the step is done and its files have the hashes that finish.json names (reads them all).
bool finish_intact(const RunFolder& run);

/// A layer's weights as they are used: the finished ones where the finish was kept, else those that it began
/// with. Precondition: the layer is done.
WeightsFile weights_in_use(const RunFolder& run, int layer);

}  // namespace ladimo
