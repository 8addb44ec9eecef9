// `ladimo plan --sample LAYER`: the partition that a layer would get, drawn from a few windows.
#pragma once

#include "base/context.h"
#include "base/events.h"
#include "commands/runtime.h"
#include "run/plan.h"

namespace ladimo {

/// Runs the dense model up to `layer` on as many calibration windows as the co-activation features need and
/// partitions that layer. Precondition: the plan has no problems. Throws Refusal for a layer that is not to
/// be converted, or when the model is to write its own text, because there is none yet.
SampleEvent sample_partition(const Plan& plan, int layer, const Runtime& runtime, const Context& context);

}  // namespace ladimo
