#include "transfer/huggingface.h"

#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "transfer/python_text.h"

namespace ladimo {
namespace {

std::string with(std::string text, std::string_view old_name, std::string_view new_name) {
  for (auto at = text.find(old_name); at != std::string::npos; at = text.find(old_name, at + new_name.size()))
    text.replace(at, old_name.size(), new_name);
  return text;
}

}  // namespace

std::vector<PythonFile> python_files(const std::string& architecture) {
  const std::string family = architecture.substr(0, architecture.find("ForCausalLM"));
  return {{"configuration_ladimo.py", with(configuration_python, "LlamaConfig", family + "Config")},
          {"modeling_ladimo.py", with(modeling_python, "LlamaForCausalLM", architecture)}};
}

void describe_layers(nlohmann::json& native_config, const ModelPolicy& policy,
                     const std::vector<TensorShapes>& tensors) {
  auto& layers = native_config["ladimo"]["layers"];
  for (std::size_t l = 0; l < policy.size(); ++l) {
    layers[l]["policy"] = to_json(policy[l], static_cast<int>(l));
    if (!tensors[l].empty()) layers[l]["tensors"] = tensors[l];
  }
}

}  // namespace ladimo
