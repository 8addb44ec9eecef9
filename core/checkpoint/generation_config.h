// generation_config.json: settings that stand beside config.json in a model folder.
#pragma once

#include <vector>

#include "base/model_files.h"
#include "checkpoint/config.h"

namespace ladimo {

/// Adds the token ids that end a text according to generation_config.json to those of `config`. Adds a
/// warning where the two files differ, and where generation_config.json cannot be used. Without that file
/// nothing is changed.
void add_generation_config(const ModelFiles& files, ModelConfig& config, std::vector<Problem>& warnings);

}  // namespace ladimo
