// Keeping a policy in a run, and what `serve` answers when it did.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "policy/policy_file.h"
#include "run/run_folder.h"

namespace ladimo {

struct SavedPolicy {
  std::filesystem::path path;  // of its file
};

/// Writes RUN/policies/NAME.json, or without a name RUN/policy.json, which every command reads. Throws Error,
/// and Refusal where the name cannot be a file's.
SavedPolicy save_policy(const RunFolder& run, const Policy& policy,
                        const std::optional<std::string>& name = {});

/// {path}.
nlohmann::json to_json(const SavedPolicy& saved);
/// Throws Refusal with the key.
SavedPolicy saved_policy_from_json(const nlohmann::json& json);

}  // namespace ladimo
