// Saves a policy in a run. `serve` answers with where it was saved.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "policy/policy_file.h"
#include "run/run_folder.h"

namespace ladimo {

struct SavedPolicy {
  std::filesystem::path path;  // the policy's file
};

/// Writes RUN/policies/NAME.json, or without a name RUN/policy.json, which every command reads. Throws
/// Refusal for a name that RunFolder::named_policy_file() refuses, and Error when the file cannot be written.
SavedPolicy save_policy(const RunFolder& run, const Policy& policy,
                        const std::optional<std::string>& name = {});

/// Returns {path}.
nlohmann::json to_json(const SavedPolicy& saved);
/// Reads what to_json() writes. Throws Refusal that names the key.
SavedPolicy saved_policy_from_json(const nlohmann::json& json);

}  // namespace ladimo
