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
  bool changed = false;        // the file is not what the caller expected, and nothing was written
};

/// What a caller believes that a policy's file holds before it writes there.
struct Expected {
  std::optional<Policy> content;  // absent: there is no file
};

/// Writes RUN/policies/NAME.json, or without a name RUN/policy.json, which every command reads. With
/// `expected` it does not write over a file that holds anything else; two programs that save at once are kept
/// apart.
/// Throws Refusal for a name that RunFolder::named_policy_file() refuses and for a folder that is no run (it
/// is never made) or a run of another model, and Error when the file cannot be written.
SavedPolicy save_policy(const RunFolder& run, const Policy& policy,
                        const std::optional<std::string>& name = {},
                        const std::optional<Expected>& expected = {});

/// Whether the file of the policy of that name (without a name: of the run's policy) holds what is expected.
/// A file that cannot be read does not.
bool holds(const RunFolder& run, const std::optional<std::string>& name, const Expected& expected);

/// {content}, where null stands for no file.
nlohmann::json to_json(const Expected& expected);
/// Reads what to_json() writes. Throws Refusal that names the key.
Expected expected_from_json(const nlohmann::json& json);
/// Returns {path, changed}.
nlohmann::json to_json(const SavedPolicy& saved);
/// Reads what to_json() writes. Throws Refusal that names the key.
SavedPolicy saved_policy_from_json(const nlohmann::json& json);

}  // namespace ladimo
