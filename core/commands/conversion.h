// `ladimo convert`: carries out a plan in its run folder. Every step writes a file and is skipped when the
// file is there. The same command therefore continues where a killed one stopped, and the results have the
// same bytes.
#pragma once

#include "base/context.h"
#include "commands/runtime.h"
#include "run/conversion_result.h"
#include "run/plan.h"

namespace ladimo {

/// Runs stage 1 and makes the tables of stage 2. Precondition: the plan has no problems. Throws Error (disk
/// full), Interrupted.
ConversionResult convert(const Plan& plan, const Runtime& runtime, const Context& context);

}  // namespace ladimo
