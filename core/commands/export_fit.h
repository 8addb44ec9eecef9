// The fit of an export: the nearest policy that the format has, layers fitted to it, and what that costs.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "base/context.h"
#include "commands/loaded_model.h"
#include "transfer/format.h"

namespace ladimo {

struct FittedRun {
  Policy policy;
  std::function<std::shared_ptr<const StandardMoe>(int layer)> layer;  // read from `scratch`
  FitPrice price;
};

/// Takes `wanted` where the format can express it, else the nearest policy of at most the same cost
/// (policy/class_policies.h). Fits the layers on the run's calibration text (transfer/moe_fit.h) and keeps
/// them in the folder `scratch`. Then trains them for that policy, `epochs` times through the calibration
/// text (transfer/moe_finish.h). Measures everything on the checking split. Throws Refusal where the run's
/// text is missing, where no policy of the format exists, and where training needs more memory than may be
/// used.
FittedRun fit_run(const LoadedModel& model, const Format& format, const Policy& wanted, int epochs,
                  const std::filesystem::path& scratch, const Context& context);

}  // namespace ladimo
