// What a plan will take of disk and time, by arithmetic from shapes; run/memory_use.h says of memory.
#pragma once

#include <cstdint>

#include "checkpoint/config.h"
#include "run/recipe.h"

namespace ladimo {

/// What the estimates follow from. `recipe` is resolved and fits the config.
struct Workload {
  const ModelConfig& config;
  const Recipe& recipe;
  std::int64_t tokens = 0;  // calibration tokens that whole windows give
  int weight_bytes = 4;     // per parameter of a converted layer on disk
  int threads = 1;
};

/// Thresholds and top-k candidates of a layer (profile/ladder.h), those that are thresholds, and policies of
/// all layers that are measured (profile/tradeoff.h).
inline constexpr double candidates_of_layer = 19, thresholds_of_layer = 13, joint_policies = 16;

/// Held-out tokens that sensitivities are measured on.
double measuring_tokens(const Workload& work);
/// A converted layer on disk.
std::uint64_t layer_bytes(const Workload& work);
/// All converted layers once more, as the second sweep leaves them.
std::uint64_t all_layers_bytes(const Workload& work);
/// As the finish leaves them, with their shifts.
std::uint64_t finished_bytes(const Workload& work);
/// The text that the model writes itself.
std::uint64_t text_bytes(const Workload& work);
/// Tables, records and the log.
std::uint64_t table_bytes(const Workload& work);

/// Seconds of each step; of "layers" for one converted layer, and for one that is only passed through.
struct StepSeconds {
  double text = 0;
  double converted_layer = 0;
  double passed_layer = 0;
  double second_sweep = 0;
  double finish = 0;
  double profile = 0;
  double sensitivity = 0;
  double latency = 0;
  double frontier = 0;
};
StepSeconds time_estimate(const Workload& work);

/// Parameters that the whole model uses per token when every converted layer has `mean_experts` routed
/// experts on, with linear routers and one bias: compensation vectors are taken only where they are worth
/// more.
double activated_estimate(const Workload& work, double mean_experts);

/// Whether sensitivity is measured: as the recipe says; `auto` where it takes under five minutes on a machine
/// of reference (two threads), whatever machine this is, so that the recipe alone decides the result.
bool measures_sensitivity(const Workload& work);

/// Calibration tokens that the layers are finished on end to end, 0: they are not. As the recipe says; `auto`
/// where the whole model with its gradients takes under 8 GB and fifteen minutes on that machine suffice for
/// 20,000 tokens: as many as they suffice for, so that more calibration tokens never mean less training.
std::int64_t finish_tokens(const Workload& work);
/// Of these, how many the candidates are priced on that it trains at.
inline constexpr std::int64_t finish_table_tokens = 4096;

}  // namespace ladimo
