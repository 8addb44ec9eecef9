#include "run/saved_policy.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/files.h"
#include "base/json_fields.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

/// Keeps other programs that save a policy in the run out while it lives. It locks the folder itself, so it
/// leaves no file behind and does not wait for a conversion, which holds RunFolder::Lock for hours. Some
/// network file systems cannot lock a folder; saving goes on without a lock there.
class SavingTurn {
 public:
  explicit SavingTurn(const fs::path& run)
      : descriptor_(::open(run.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (descriptor_ >= 0) static_cast<void>(::flock(descriptor_, LOCK_EX));
  }
  ~SavingTurn() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  SavingTurn(const SavingTurn&) = delete;
  SavingTurn& operator=(const SavingTurn&) = delete;

 private:
  int descriptor_;
};

fs::path file_of(const RunFolder& run, const std::optional<std::string>& name) {
  return name ? run.named_policy_file(*name) : run.policy_file();
}

/// Throws Refusal unless the folder is still a run of the policy's model: it may have been removed, or made
/// anew, since the policy was chosen.
void require_run_of(const RunFolder& run, const Policy& policy) {
  if (!run.exists())
    throw Refusal("The run folder was moved or deleted.", "Save the policy somewhere else.", run.path());
  if (run.recipe().model_fingerprint != policy.fingerprint)
    throw Refusal("The folder now contains a run of another model.", "Save the policy somewhere else.",
                  run.path());
}

}  // namespace

bool holds(const RunFolder& run, const std::optional<std::string>& name, const Expected& expected) {
  const fs::path file = file_of(run, name);
  std::error_code unreadable;
  const bool there = fs::exists(file, unreadable);
  if (unreadable) return false;
  if (!there || !expected.content) return there == expected.content.has_value();
  try {
    return to_json(policy_from_json(read_json(file), file)) == to_json(*expected.content);
  } catch (const Error&) {
    return false;
  }
}

SavedPolicy save_policy(const RunFolder& run, const Policy& policy, const std::optional<std::string>& name,
                        const std::optional<Expected>& expected) {
  const fs::path file = file_of(run, name);
  const SavingTurn turn(run.path());
  require_run_of(run, policy);
  if (expected && fs::exists(file) && !holds(run, name, *expected)) return {file, true};
  if (name) {
    std::error_code failed;  // write_json() says then why
    fs::create_directory(file.parent_path(), failed);
  }
  write_json(file, to_json(policy));
  return {file};
}

nlohmann::json to_json(const Expected& expected) {
  return {{"content", expected.content ? to_json(*expected.content) : nlohmann::json()}};
}

Expected expected_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "expected policy");
  fields.only({"content"});
  if (!fields.has("content")) return {};
  return {policy_from_json(fields.at("content"))};
}

nlohmann::json to_json(const SavedPolicy& saved) {
  return {{"path", saved.path.string()}, {"changed", saved.changed}};
}

SavedPolicy saved_policy_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "answer");
  return {fields.text("path"), fields.has("changed") && fields.flag("changed")};
}

}  // namespace ladimo
