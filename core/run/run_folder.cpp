#include "run/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/files.h"
#include "base/json_fields.h"
#include "base/path_problem.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

/// Reads a table of the run. A Refusal names its file.
template <class FromJson>
auto read_table(const fs::path& path, FromJson from_json) {
  return naming_file(path, [&] { return from_json(read_json(path)); });
}

void refuse_unfinished(const fs::path& file, const char* what) {
  if (fs::exists(file)) return;
  throw Refusal(fmt::format("The run has no {} yet.", what), "To finish the run, {continue_run}.", file);
}

bool is_temporary(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with(".stream-") || (name.starts_with(".") && name.find(".tmp-") != std::string::npos);
}

}  // namespace

bool RunFolder::exists() const { return fs::exists(recipe_file()); }

void RunFolder::clean() const {
  if (!fs::exists(path_)) return;
  std::vector<fs::path> temporary;
  for (const auto& entry : fs::recursive_directory_iterator(path_))
    if (entry.is_regular_file() && is_temporary(entry.path())) temporary.push_back(entry.path());
  for (const fs::path& file : temporary) fs::remove(file);
  fs::remove_all(path_ / ".claims");
}

Recipe RunFolder::recipe() const {
  // How runs were made whose recipe lacks a key.
  Recipe before;
  before.compute = "fp32";
  before.finish.shift = false;
  before.finish.block = 0;
  return recipe_from_json(read_json(recipe_file()), recipe_file(), before);
}

RoutingProfile RunFolder::profile() const {
  refuse_unfinished(profile_file(), "routing profile");
  return read_table(profile_file(), routing_profile_from_json);
}

TradeoffTable RunFolder::tradeoff() const {
  refuse_unfinished(tradeoff_file(), "trade-off table");
  return read_table(tradeoff_file(), tradeoff_table_from_json);
}

std::optional<LatencyTable> RunFolder::latency() const {
  if (!fs::exists(latency_file())) return {};
  return read_table(latency_file(), latency_table_from_json);
}

fs::path RunFolder::named_policy_file(const std::string& name) const {
  if (name.empty() || name.size() > 64 || name.starts_with(".") || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos)
    throw Refusal(fmt::format("A policy cannot be saved under the name \"{}\".", name),
                  "Use 1 to 64 characters without /, not beginning with a dot.", path_ / "policies");
  return path_ / "policies" / (name + ".json");
}

std::vector<std::string> RunFolder::policy_names() const {
  std::vector<std::string> names;
  const fs::path folder = path_ / "policies";
  if (!fs::is_directory(folder)) return names;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".json" && !is_temporary(entry.path()))
      names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  return names;
}

Policy RunFolder::policy(std::size_t layers, const std::optional<fs::path>& file) const {
  const fs::path from = file.value_or(policy_file());
  if (!fs::exists(from))
    throw Refusal(file ? "There is no such policy file." : "The run has no policy yet.",
                  "Make one: {choose_policy}.", from);
  return read_policy(from, recipe().model_fingerprint, layers);
}

RunFolder::Lock::Lock(const RunFolder& run) {
  std::error_code ignored;  // open() below fails then
  fs::create_directories(run.path(), ignored);
  descriptor_ = ::open((run.path() / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0)
    throw Error(fmt::format("The run folder cannot be written to: {}.", std::strerror(errno)),
                "Choose another folder with {run}.", run.path());
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(descriptor_);
  throw Refusal(fmt::format("Another process is working in the run folder {}.", run.path().string()),
                "Wait for it, stop it, or choose another folder with {run}.", run.path());
}

RunFolder::Lock::~Lock() { ::close(descriptor_); }

bool is_run(const fs::path& path) { return RunFolder(path).exists(); }

RunFolder open_run(const fs::path& path) {
  if (auto problem = folder_problem(path)) {
    if (!has_entry(path)) problem->hint = "Make one: {new_conversion}.";
    throw Refusal(*problem);
  }
  if (!is_run(path))
    throw Refusal("This folder is not a run: it has no recipe.json.",
                  "Choose a folder that a conversion wrote.", path);
  return RunFolder(path);
}

}  // namespace ladimo
