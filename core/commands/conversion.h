// `ladimo convert`: carries out a plan in its run folder. Every step leaves its file behind and is skipped
// when the file is there, so the same command continues where a killed one stopped, with the same bytes.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/context.h"
#include "commands/runtime.h"
#include "run/plan.h"

namespace ladimo {

/// Stage 1 and the tables of stage 2. Precondition: the plan has no problems. Returns what `--json` prints:
/// layers[] (layer, loss_before, loss_after, seconds), seconds, resumed_layers, run. Throws Error (disk
/// full), Interrupted.
nlohmann::json convert(const Plan& plan, const Runtime& runtime, const Context& context);

}  // namespace ladimo
