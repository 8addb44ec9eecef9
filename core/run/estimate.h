// Estimates of the disk space and time that a plan takes, by arithmetic from shapes. run/memory_use.h
// estimates the memory.
#pragma once

#include <cstdint>
#include <optional>

#include "checkpoint/config.h"
#include "run/pace.h"
#include "run/recipe.h"

namespace ladimo {

/// What the estimates depend on. `recipe` is resolved and fits the config.
struct Workload {
  const ModelConfig& config;
  const Recipe& recipe;
  std::int64_t tokens = 0;  // calibration tokens that whole windows give
  int weight_bytes = 4;     // bytes per parameter of a converted layer on disk
  int threads = 1;
  std::optional<Pace> pace = {};  // of this machine; none: usual_pace()
};

/// Counts that the estimates assume: candidates of a layer (thresholds and top-k, profile/ladder.h),
/// thresholds among them, and joint policies that are measured (profile/tradeoff.h).
inline constexpr double candidates_of_layer = 19, thresholds_of_layer = 13, joint_policies = 17;

/// The number of held-out tokens that sensitivity is measured on.
double measuring_tokens(const Workload& work);
/// Bytes of one converted layer on disk.
std::uint64_t layer_bytes(const Workload& work);
/// Bytes of all converted layers on disk. The second sweep writes as much again.
std::uint64_t all_layers_bytes(const Workload& work);
/// Bytes of all converted layers as the finish writes them, with their shifts if they have any.
std::uint64_t finished_bytes(const Workload& work);
/// Bytes of the text that the model writes itself; 0 when it writes none.
std::uint64_t text_bytes(const Workload& work);
/// Bytes of the tables, the records and the log.
std::uint64_t table_bytes(const Workload& work);

/// Estimated seconds of each step. The step "layers" has two numbers: for one converted layer, and for one
/// that the stream only passes through.
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
/// experts on. Assumes linear routers and one bias per layer, because compensation vectors are chosen only
/// where they are worth more than they cost.
double activated_estimate(const Workload& work, double mean_experts);

/// Whether sensitivity is measured (or else estimated), as the recipe says. With `auto` it is measured when
/// that takes at most 2e13 floating-point operations, a few minutes on two threads. The machine at hand does
/// not matter, so that the recipe alone decides the result.
bool measures_sensitivity(const Workload& work);

/// How many layers the finish trains at a time when the recipe leaves that open: 0, all together, where they
/// fit, else as many as do, but at least one. They fit into `memory` bytes when the recipe says that there is
/// a finish. With `auto` they are always trained together.
int finish_block(const Workload& work, std::uint64_t memory);
/// The number of calibration tokens for the finish; 0 means no finish. With `on` in the recipe it
/// is all of them. With `auto` it is as many as the whole model with its gradients can be trained on within
/// 10 GB and 1.5e14 floating-point operations (a quarter of an hour on two threads), or 0 where these allow
/// fewer than 20,000. More calibration tokens thus never mean less training.
std::int64_t finish_tokens(const Workload& work);
/// The number of calibration tokens, up to whole windows, on which the finish estimates the sensitivities of
/// the candidates that it trains at.
inline constexpr std::int64_t finish_table_tokens = 4096;

}  // namespace ladimo
