// The events that the engine reports while it works, one struct per kind. run/event_json.h has their JSON
// form.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace ladimo {

/// A step begins. run/step.h has the names. `index` counts from 0 to `count` - 1.
struct StepEvent {
  std::string name;
  int index = 0;
  int count = 0;
};

/// Progress of the current step. `layer` is -1 when the progress is not about a single layer. `eta_s` is the
/// time left in seconds, negative while unknown. Within a layer `what` names the part at work ("partition",
/// "router", "refit", "distillation", ...).
struct ProgressEvent {
  int layer = -1;
  std::int64_t done = 0;
  std::int64_t total = 0;
  double eta_s = -1;
  std::string what = {};
};

/// Normalised squared error of one layer's distillation, on training rows or on held-out rows.
struct LossEvent {
  int layer = 0;
  int step = 0;
  double value = 0;
  bool held_out = false;
};

/// The routing weights of one layer that were counted so far. `counts` holds the bins of policy/histogram.h;
/// `expert_load` is the share of tokens for which each routed expert is on at the layer's middle threshold.
struct HistogramEvent {
  int layer = 0;
  std::vector<std::int64_t> counts;
  std::vector<double> expert_load;
};

/// The partition of one layer: for every neuron the routed expert that it belongs to, or -1 for a shared
/// neuron.
struct SampleEvent {
  int layer = 0;
  std::vector<int> partition;
};

/// A layer is finished and on disk. Losses are normalised squared errors on held-out rows.
struct LayerEvent {
  int layer = 0;
  double loss_before = 0;
  double loss_after = 0;
  double seconds = 0;
};

/// One generated token. `experts` holds the routed experts on in each layer, -1 for a dense layer.
struct TokenEvent {
  bool converted = true;
  std::string text;
  int id = 0;
  std::vector<int> experts;
};

/// A policy was measured. `json` is its Measurement (run/measurement.h).
struct MeasureEvent {
  std::string json;
};

/// A warning. Its hint names settings by their ids (base/setting.h).
struct WarningEvent {
  std::string message;
  std::string hint;
};

/// The work failed, or ended because it was asked to (`canceled`). The hint names settings by their ids
/// (base/setting.h).
struct ErrorEvent {
  std::string message;
  std::string hint;
  std::string path;
  bool canceled = false;
};

/// `serve` has loaded its model and takes requests.
struct ReadyEvent {};

/// The last event. `json` is the object that `--json` prints. The types of results are in run/.
struct ResultEvent {
  std::string json;
};

using Event = std::variant<StepEvent, ProgressEvent, LossEvent, HistogramEvent, SampleEvent, LayerEvent,
                           TokenEvent, MeasureEvent, WarningEvent, ErrorEvent, ReadyEvent, ResultEvent>;

}  // namespace ladimo
