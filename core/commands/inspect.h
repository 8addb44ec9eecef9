// `ladimo inspect`: what a checkpoint is, and whether it can be converted.
#pragma once

#include <filesystem>

#include "base/context.h"
#include "run/inspection.h"

namespace ladimo {

/// Reads config, tensor headers and, where these are whole, every weight. Problems are listed, not thrown;
/// for a native model folder also those of its converted layers. Throws Interrupted.
Inspection inspect(const std::filesystem::path& folder, const Context& context);

}  // namespace ladimo
