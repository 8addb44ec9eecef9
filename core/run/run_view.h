// Everything that a run folder holds, as `ladimo show` reports it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "policy/policy_file.h"
#include "policy/routing_profile.h"
#include "policy/tradeoff_table.h"
#include "run/layer_store.h"
#include "run/measurement.h"
#include "run/run_folder.h"
#include "run/timing_log.h"

namespace ladimo {

/// A layer that the recipe converts.
struct LayerView {
  int layer = 0;
  bool done = false;
  std::optional<LayerRecord> record;  // present once the layer is done
  std::optional<double> seconds;      // that the conversion of the layer took
};

/// The content of a run folder. What is not there yet is absent or empty.
struct RunView {
  Recipe recipe;
  std::vector<std::string> own_text;  // the first documents that the model wrote itself
  std::vector<LayerView> layers;      // in the recipe's order
  std::optional<FinishRecord> finish;
  std::optional<RoutingProfile> profile;
  std::optional<TradeoffTable> tradeoff;
  std::optional<LatencyTable> latency;
  std::optional<Policy> policy;            // RUN/policy.json
  std::map<std::string, Policy> policies;  // policies that were saved under a name
  std::vector<Measurement> measurements;   // oldest first
  RunTiming timing;
};

/// Reads a run folder. Throws Refusal that names a broken file. A broken text of the model's own is left out
/// instead, because the rest of the run can still be shown.
RunView view_run(const RunFolder& run);

/// Returns {recipe, own_text[], layers[{layer, done, seconds, and the keys of its record}], finish, profile,
/// tradeoff, latency, policy, policies{NAME}, measurements[], timing{steps, layers}}; what is absent is null.
nlohmann::json to_json(const RunView& view);
/// Reads what to_json() writes. Throws Refusal that names the file of the run and the key.
RunView run_view_from_json(const nlohmann::json& json);

}  // namespace ladimo
