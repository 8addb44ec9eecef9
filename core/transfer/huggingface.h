// The Python code with which Hugging Face transformers loads a native model folder. It lies in
// transfer/huggingface and is part of the program.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "policy/layer_policy.h"

namespace ladimo {

struct PythonFile {
  std::string name;
  std::string text;
};

/// The files for originals of an architecture, such as "LlamaForCausalLM".
std::vector<PythonFile> python_files(const std::string& architecture);

/// Names and shapes of tensors.
using TensorShapes = std::map<std::string, std::vector<std::int64_t>>;

/// Adds to the config.json of a native folder what the code needs to know of every layer: `policy`, as in
/// policy.json, and of converted ones `tensors`, those of the layer. `tensors` has an entry for every layer,
/// empty for others.
void describe_layers(nlohmann::json& native_config, const ModelPolicy& policy,
                     const std::vector<TensorShapes>& tensors);

}  // namespace ladimo
