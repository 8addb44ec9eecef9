// `ladimo convert`: carries out a plan in its run folder. Every step leaves its file behind and is skipped
// when the file is there, so the same command continues where a killed one stopped, with the same bytes.
#pragma once

#include "base/context.h"
#include "commands/runtime.h"
#include "run/conversion_result.h"
#include "run/plan.h"

namespace ladimo {

/// Stage 1 and the tables of stage 2. Precondition: the plan has no problems. Throws Error (disk full),
/// Interrupted.
ConversionResult convert(const Plan& plan, const Runtime& runtime, const Context& context);

}  // namespace ladimo
