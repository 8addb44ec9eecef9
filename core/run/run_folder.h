// The run folder: the names of its files, how they are read, and its lock. Its layers are in
// run/layer_store.h.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "policy/policy_file.h"
#include "policy/routing_profile.h"
#include "policy/tradeoff_table.h"
#include "run/layer_store.h"
#include "run/recipe.h"

namespace ladimo {

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)), layers_(path_) {}

  const std::filesystem::path& path() const { return path_; }
  const LayerStore& layers() const { return layers_; }
  std::filesystem::path recipe_file() const { return path_ / "recipe.json"; }
  std::filesystem::path profile_file() const { return path_ / "profile.json"; }
  std::filesystem::path tradeoff_file() const { return path_ / "tradeoff.json"; }
  std::filesystem::path latency_file() const { return path_ / "latency.json"; }
  std::filesystem::path policy_file() const { return path_ / "policy.json"; }
  /// The file of a policy that is saved under a name: policies/NAME.json. Throws Refusal unless the name has
  /// 1 to 64 characters, no / and no dot at its beginning.
  std::filesystem::path named_policy_file(const std::string& name) const;
  /// The names of the policies that are saved under one, sorted.
  std::vector<std::string> policy_names() const;
  std::filesystem::path measurements_file() const { return path_ / "measurements.json"; }
  std::filesystem::path timing_file() const { return path_ / "timing.json"; }
  std::filesystem::path log_file() const { return path_ / "log.txt"; }
  /// Hashes of the run's text (run/seen_text.h). Runs of earlier versions have none.
  std::filesystem::path seen_text_file() const { return path_ / "seen_text.bin"; }
  /// The text that the model writes itself, when the recipe asks for it.
  std::filesystem::path self_calibration() const { return path_ / "text" / "calibration.jsonl"; }
  std::filesystem::path self_held_out() const { return path_ / "text" / "held-out.jsonl"; }

  bool exists() const;  // holds a recipe
  /// Removes what a killed process left behind: temporary files, claims on layers. Precondition: the lock is
  /// held.
  void clean() const;

  Recipe recipe() const;
  RoutingProfile profile() const;
  TradeoffTable tradeoff() const;
  std::optional<LatencyTable> latency() const;
  /// Reads RUN/policy.json, or `file` when given, for a model of `layers` layers. Throws Refusal when it is
  /// missing or does not fit; the hint names the command that makes one.
  Policy policy(std::size_t layers, const std::optional<std::filesystem::path>& file = {}) const;

  /// A lock that a process holds while it works in the folder. Throws Refusal when another process holds it.
  class Lock {
   public:
    explicit Lock(const RunFolder& run);
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    int descriptor_ = -1;
  };

 private:
  std::filesystem::path path_;
  LayerStore layers_;
};

/// Opens an existing run. Throws Refusal when `path` is not one.
RunFolder open_run(const std::filesystem::path& path);
bool is_run(const std::filesystem::path& path);

}  // namespace ladimo
