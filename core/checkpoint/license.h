// The license that a model says it has.
#pragma once

#include <optional>
#include <string>

#include "base/model_files.h"

namespace ladimo {

/// As the model card (README.md) names it in its front matter: `license`, or `license_name` where that is
/// "other". Several are joined by ", ". Else `license` of config.json, where GGUF files have it. Absent where
/// neither says anything that can be used. A name that is longer than any license's is cut. Never throws for
/// bad files: a license decides nothing here.
std::optional<std::string> license_of(const ModelFiles& files);

}  // namespace ladimo
