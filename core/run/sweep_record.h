// What the second sweep left in the run folder: second-sweep/000.json for every converted layer, and
// second-sweep/000.safetensors where it made the layer better.
#pragma once

#include <optional>
#include <string>

#include "run/run_folder.h"

namespace ladimo {

/// second-sweep/000.json. Losses are normalised squared errors on held-back windows of the converted model's
/// own trajectory, mean over the recipe's levels.
struct SweepRecord {
  int layer = 0;
  double loss_before = 0;
  double loss_after = 0;  // as before where the layer stays as it was
  std::string hash;       // of the safetensors file; empty: the layer stays as it was
};

std::filesystem::path sweep_file(const RunFolder& run, int layer);
std::filesystem::path swept_weights(const RunFolder& run, int layer);

/// Nothing where the layer was not swept. Throws Refusal for a broken file.
std::optional<SweepRecord> read_sweep(const RunFolder& run, int layer);
void write_sweep(const RunFolder& run, const SweepRecord& record);

/// Whether the layer was swept and its file has the hash that the record names (reads it).
bool sweep_intact(const RunFolder& run, int layer);

/// A layer's weights before the finish: the swept ones where they were kept. Precondition: the layer is done.
WeightsFile weights_before_finish(const RunFolder& run, int layer);

}  // namespace ladimo
