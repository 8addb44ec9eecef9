#include "run/saved_policy.h"

#include "base/files.h"
#include "base/json_fields.h"

namespace ladimo {

SavedPolicy save_policy(const RunFolder& run, const Policy& policy, const std::optional<std::string>& name) {
  const auto file = name ? run.named_policy_file(*name) : run.policy_file();
  create_directories(file.parent_path());
  write_json(file, to_json(policy));
  return {file};
}

nlohmann::json to_json(const SavedPolicy& saved) { return {{"path", saved.path.string()}}; }

SavedPolicy saved_policy_from_json(const nlohmann::json& json) {
  return {JsonFields(json, "answer").text("path")};
}

}  // namespace ladimo
