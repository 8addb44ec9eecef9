// `ladimo inspect`: what a checkpoint is, and whether it can be converted.
#pragma once

#include <filesystem>

#include "base/context.h"
#include "run/inspection.h"

namespace ladimo {

/// Reads the config, the tensor headers and, when these have no problems, every weight. Problems are listed,
/// not thrown. For a native model folder they include those of its converted layers. Throws Interrupted.
Inspection inspect(const std::filesystem::path& path, const Context& context);

}  // namespace ladimo
