// Measures how fast this machine computes, for the estimates of a plan.
#pragma once

#include "base/context.h"
#include "checkpoint/config.h"
#include "commands/runtime.h"
#include "run/pace.h"

namespace ladimo {

/// What was measured on this machine within a day (PaceCache), or else a measurement with random weights of
/// the config's shapes. It takes about two seconds for a model of 135 million parameters and at most about
/// ten for one of 7 billion. Throws Interrupted.
Pace pace_of_machine(const ModelConfig& config, const Runtime& runtime, const Context& context);

}  // namespace ladimo
