// The run folder: names, presence, and the lock.
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
#include "run/recipe.h"

namespace ladimo {

/// layers/000.json: what is known of a finished layer (no times, so that a resumed run has the same bytes).
struct LayerRecord {
  int layer = 0;
  double loss_before = 0;  // normalised squared error on validation rows: partition, router, compensation
  double loss_refit = 0;   // after refit
  double loss_after = 0;   // after distillation
  double router_r2 = 0;    // held-out share of the contribution norms' variance that the router explains
  std::vector<double> held_out_losses;  // after each epoch
  std::string hash;                     // of the safetensors file
};

nlohmann::json to_json(const LayerRecord& record);
/// Throws Refusal with the file and the key.
LayerRecord layer_record_from_json(const nlohmann::json& json, const std::filesystem::path& path = {});

/// A layer's weights on disk, and the hash that they were written with.
struct WeightsFile {
  std::filesystem::path path;
  std::string hash;
  /// Whether the file has that hash (reads it whole).
  bool intact() const;
};

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path recipe_file() const { return path_ / "recipe.json"; }
  std::filesystem::path layer_weights(int layer) const;  // layers/000.safetensors
  std::filesystem::path layer_record(int layer) const;   // layers/000.json
  std::filesystem::path profile_file() const { return path_ / "profile.json"; }
  std::filesystem::path tradeoff_file() const { return path_ / "tradeoff.json"; }
  std::filesystem::path latency_file() const { return path_ / "latency.json"; }
  std::filesystem::path policy_file() const { return path_ / "policy.json"; }
  /// policies/NAME.json: a policy saved under a name. Throws Refusal unless the name has 1 to 64 characters,
  /// no / and no dot at its beginning.
  std::filesystem::path named_policy_file(const std::string& name) const;
  /// Names of the policies that were saved under one, sorted.
  std::vector<std::string> policy_names() const;
  std::filesystem::path measurements_file() const { return path_ / "measurements.json"; }
  std::filesystem::path timing_file() const { return path_ / "timing.json"; }
  std::filesystem::path log_file() const { return path_ / "log.txt"; }
  /// The model's own text, where the recipe asks for it.
  std::filesystem::path self_calibration() const { return path_ / "text" / "calibration.jsonl"; }
  std::filesystem::path self_held_out() const { return path_ / "text" / "held-out.jsonl"; }

  bool exists() const;  // holds a recipe
  bool layer_done(int layer) const;
  /// Whether the layer is done and its weights have the hash that its record names (reads the whole file).
  bool layer_intact(int layer) const;
  /// Removes temporary files that a killed process left behind.
  void clean() const;

  Recipe recipe() const;
  LayerRecord record(int layer) const;
  void write_record(const LayerRecord& record) const;
  RoutingProfile profile() const;
  TradeoffTable tradeoff() const;
  std::optional<LatencyTable> latency() const;
  /// RUN/policy.json, or `file` when given, for a model of `layers` layers; throws Refusal that names the
  /// command which makes one.
  Policy policy(std::size_t layers, const std::optional<std::filesystem::path>& file = {}) const;

  /// Held while a process works in the folder; throws Refusal when another does.
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
};

/// Opens an existing run. Throws Refusal when `path` is not one.
RunFolder open_run(const std::filesystem::path& path);
bool is_run(const std::filesystem::path& path);

}  // namespace ladimo
