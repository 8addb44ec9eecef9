// The run folder: names, presence, the lock, and `show`. Its layers are in run/layer_store.h.
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

class Context;

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
  /// policies/NAME.json: a policy saved under a name. Throws Refusal unless the name has 1 to 64 characters,
  /// no / and no dot at its beginning.
  std::filesystem::path named_policy_file(const std::string& name) const;
  std::filesystem::path measurements_file() const { return path_ / "measurements.json"; }
  std::filesystem::path timing_file() const { return path_ / "timing.json"; }
  std::filesystem::path log_file() const { return path_ / "log.txt"; }
  /// The model's own text, where the recipe asks for it.
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
  /// RUN/policy.json, or `file` when given, for a model of `layers` layers; throws Refusal that names the
  /// command which makes one.
  Policy policy(std::size_t layers, const std::optional<std::filesystem::path>& file = {}) const;

  /// Seconds of every finished step and layer. timing.json.
  nlohmann::json timing() const;

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
  LayerStore layers_;
};

/// Opens an existing run. Throws Refusal when `path` is not one.
RunFolder open_run(const std::filesystem::path& path);
bool is_run(const std::filesystem::path& path);

/// Keeps a policy in the run: under a name, or without one as RUN/policy.json, which every command reads.
/// Returns the file. Throws Error, and Refusal where the name cannot be a file's.
std::filesystem::path save_policy(const RunFolder& run, const Policy& policy,
                                  const std::optional<std::string>& name = {});

/// Appends what an evaluation found (docs/formats.md) to measurements.json, newest last, at most 200. Where
/// that is impossible the sink hears a warning: the evaluation itself went well.
void append_measurement(const RunFolder& run, const nlohmann::json& measurement, const Context& context);
/// Puts the times of a policy into its newest measurement; nothing where it was not measured.
void keep_times(const RunFolder& run, const Policy& policy, double decode_ms, double prefill_ms,
                const Context& context);

/// Everything a window needs: recipe, layers, own_text (the first documents that the model wrote itself),
/// profile, tradeoff, latency, policy, timing (null where not there yet), policies by name, measurements.
nlohmann::json show_run(const RunFolder& run);

}  // namespace ladimo
