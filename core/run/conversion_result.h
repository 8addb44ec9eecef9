// The result of `ladimo convert`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

/// One converted layer. Losses are normalised squared errors on held-out rows.
struct LayerResult {
  int layer = 0;
  double loss_before = 0;  // after partition, router and compensation
  double loss_after = 0;   // after refit and distillation
  double seconds = 0;      // 0 when the run has no record of it
};

/// What a step, or a part of the layers' work, took.
struct NamedWork {
  std::string name;
  double seconds = 0;
  double flops = 0;        // floating-point operations of matrix products
  double flops_per_s = 0;  // both divided
};

struct ConversionResult {
  std::filesystem::path run;
  std::vector<LayerResult> layers;
  double seconds = 0;            // of this command, without earlier commands that were interrupted
  int resumed_layers = 0;        // layers that were already finished in the run folder
  std::vector<NamedWork> steps;  // by all commands that worked on the run
  std::vector<NamedWork> parts;  // of the step "layers", likewise
};

/// Returns {run, layers[{layer, loss_before, loss_after, seconds}], seconds, resumed_layers, steps[{name,
/// seconds, flops, flops_per_s}], parts[]}.
nlohmann::json to_json(const ConversionResult& result);
/// Reads what to_json() writes. Throws Refusal that names the key.
ConversionResult conversion_result_from_json(const nlohmann::json& json);

}  // namespace ladimo
