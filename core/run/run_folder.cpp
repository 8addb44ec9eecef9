#include "run/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include <fmt/format.h>

#include "base/context.h"
#include "base/files.h"
#include "base/json_fields.h"
#include "text/corpus.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

/// A table of the run; a Refusal names its file.
template <class FromJson>
auto read_table(const fs::path& path, FromJson from_json) {
  return naming_file(path, [&] { return from_json(read_json(path)); });
}

void refuse_unfinished(const fs::path& file, const char* what) {
  if (fs::exists(file)) return;
  throw Refusal(fmt::format("The run has no {} yet.", what),
                "Continue it: give the same `ladimo convert` command again.", file);
}

bool is_temporary(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with(".") && name.find(".tmp-") != std::string::npos;
}

nlohmann::json json_or_null(const fs::path& path) {
  return fs::exists(path) ? read_json(path) : nlohmann::json();
}

/// Empty where the file is not there.
nlohmann::json json_list(const fs::path& path) {
  if (!fs::exists(path)) return nlohmann::json::array();
  auto json = read_json(path);
  if (!json.is_array())
    throw Refusal("This file is not a JSON list.", "Move it away; it is made anew.", path);
  return json;
}

/// Writes the list anew where `change` says that it did something.
void change_measurements(const RunFolder& run, const Context& context,
                         const std::function<bool(nlohmann::json&)>& change) {
  const fs::path file = run.measurements_file();
  try {
    auto all = json_list(file);
    if (change(all)) write_json(file, all);
  } catch (const std::exception& failure) {
    const Problem problem = problem_of(failure);
    context.warn(fmt::format("The measurement is not kept: {}", problem.message), problem.hint);
  }
}

nlohmann::json named_policies(const RunFolder& run) {
  auto policies = nlohmann::json::object();
  const fs::path folder = run.path() / "policies";
  if (!fs::is_directory(folder)) return policies;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".json" && !is_temporary(entry.path()))
      policies[entry.path().stem().string()] = read_json(entry.path());
  return policies;
}

nlohmann::json show_layer(const RunFolder& run, int layer, const nlohmann::json& seconds) {
  const bool done = run.layers().done(layer);
  nlohmann::json shown{{"layer", layer}};
  if (done) shown = to_json(run.layers().record(layer));
  shown["done"] = done;
  shown["seconds"] = seconds.value(std::to_string(layer), nlohmann::json());
  return shown;
}

/// The beginning of what the model wrote itself; null where the text is a person's, and where it cannot be
/// read: that keeps nobody from looking at the rest of the run.
nlohmann::json show_own_text(const RunFolder& run, const Recipe& recipe) {
  constexpr std::size_t shown_bytes = 16 << 10;
  if (!recipe.self_text() || !fs::exists(run.self_calibration())) return {};
  try {
    return read_beginning(run.self_calibration(), shown_bytes).documents;
  } catch (const Refusal&) {
    return {};
  }
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
  Recipe before;
  before.finish.shift = false;  // runs that do not know the word were made without
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

Policy RunFolder::policy(std::size_t layers, const std::optional<fs::path>& file) const {
  const fs::path from = file.value_or(policy_file());
  if (!fs::exists(from))
    throw Refusal(file ? "There is no such policy file." : "The run has no policy yet.",
                  fmt::format("Make one: ladimo policy {} --activated 0.8", path_.string()), from);
  return read_policy(from, recipe().model_fingerprint, layers);
}

nlohmann::json RunFolder::timing() const {
  const auto found = fs::exists(timing_file()) ? read_json(timing_file()) : nlohmann::json();
  auto timing = nlohmann::json::object();
  for (const char* part : {"steps", "layers"})  // times are nothing that a run fails for
    timing[part] = found.contains(part) && found[part].is_object() ? found[part] : nlohmann::json::object();
  return timing;
}

RunFolder::Lock::Lock(const RunFolder& run) {
  std::error_code ignored;  // open() tells
  fs::create_directories(run.path(), ignored);
  descriptor_ = ::open((run.path() / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0)
    throw Error(fmt::format("The run folder cannot be written: {}.", std::strerror(errno)),
                "Choose another folder with -o.", run.path());
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(descriptor_);
  throw Refusal(fmt::format("Another process is working in the run folder {}.", run.path().string()),
                "Wait for it, stop it, or choose another folder with -o.", run.path());
}

RunFolder::Lock::~Lock() { ::close(descriptor_); }

bool is_run(const fs::path& path) { return RunFolder(path).exists(); }

RunFolder open_run(const fs::path& path) {
  if (!fs::exists(path))
    throw Refusal("There is no such run folder.", "Make one: ladimo convert MODEL -o RUN --text FILE.", path);
  if (!is_run(path))
    throw Refusal("This folder is not a run: it has no recipe.json.",
                  "Name a folder that `ladimo convert` wrote.", path);
  return RunFolder(path);
}

fs::path save_policy(const RunFolder& run, const Policy& policy, const std::optional<std::string>& name) {
  const fs::path file = name ? run.named_policy_file(*name) : run.policy_file();
  fs::create_directories(file.parent_path());
  write_json(file, to_json(policy));
  return file;
}

void append_measurement(const RunFolder& run, const nlohmann::json& measurement, const Context& context) {
  change_measurements(run, context, [&](nlohmann::json& all) {
    constexpr std::size_t most = 200;
    all.push_back(measurement);
    if (all.size() > most) all.erase(all.begin(), all.end() - most);
    return true;
  });
}

void keep_times(const RunFolder& run, const Policy& policy, double decode_ms, double prefill_ms,
                const Context& context) {
  const auto layers = to_json(policy)["layers"];
  change_measurements(run, context, [&](nlohmann::json& all) {
    for (auto one = all.rbegin(); one != all.rend(); ++one) {
      if ((*one)["policy"]["layers"] != layers) continue;
      (*one)["numbers"].update({{"decode_ms", decode_ms}, {"prefill_ms", prefill_ms}});
      return true;
    }
    return false;
  });
}

nlohmann::json show_run(const RunFolder& run) {
  const Recipe recipe = run.recipe();
  const auto timing = run.timing();
  auto layers = nlohmann::json::array();
  for (const int layer : recipe.layers) layers.push_back(show_layer(run, layer, timing["layers"]));
  return {{"recipe", to_json(recipe)},
          {"own_text", show_own_text(run, recipe)},
          {"layers", std::move(layers)},
          {"finish", json_or_null(run.layers().finish_file())},
          {"profile", json_or_null(run.profile_file())},
          {"tradeoff", json_or_null(run.tradeoff_file())},
          {"latency", json_or_null(run.latency_file())},
          {"policy", json_or_null(run.policy_file())},
          {"policies", named_policies(run)},
          {"measurements", json_list(run.measurements_file())},
          {"timing", timing}};
}

}  // namespace ladimo
