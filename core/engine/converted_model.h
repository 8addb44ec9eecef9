// A run and its dense original, opened for work.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "engine/runtime.h"
#include "evaluate/scores.h"
#include "run/run_folder.h"
#include "text/tokenizer.h"

namespace ladimo {

/// Converted layers of a run, read from its folder when asked for.
MoeProvider run_layers(const RunFolder& run, at::Device device, at::ScalarType dtype);

/// The FFNs that a policy puts into a model: null where a layer stays dense.
std::vector<std::shared_ptr<const FeedForward>> policy_ffns(const MoeProvider& moe,
                                                            const ModelPolicy& policy);

/// The policy that leaves every layer as it is.
ModelPolicy all_dense(const ModelConfig& config);

/// A MODEL or a RUN as a command names it.
struct OpenedModel {
  Checkpoint checkpoint;         // the dense original
  std::optional<RunFolder> run;  // where a RUN was named

  /// Opens `path`; for a run the original is found by its recipe or given by `dense`. Throws Refusal when
  /// neither fits, or when the original is not the one that was converted.
  static OpenedModel open(const std::filesystem::path& path,
                          const std::optional<std::filesystem::path>& dense = {});

  bool is_converted() const { return run.has_value(); }
  /// Whether the dense original is there.
  bool has_dense() const { return true; }
  /// Fingerprint of the dense original, which policies name.
  std::string fingerprint() const;
  MoeProvider layers(at::Device device, at::ScalarType dtype) const;

  /// All dense for a MODEL; for a RUN its policy.json or `file`. Throws Refusal (a policy for another model,
  /// for a layer that is not converted, with more experts than there are).
  Policy policy(const std::optional<std::filesystem::path>& file = {}) const;
  /// The same from the content of a policy file.
  Policy policy_from(const nlohmann::json& content) const;

 private:
  void require_carried_out(const Policy& policy, const std::filesystem::path& file) const;
};

}  // namespace ladimo
