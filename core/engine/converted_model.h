// A run and its dense original, opened for work.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

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

/// A MODEL or a RUN as a command names it.
struct OpenedModel {
  Checkpoint checkpoint;         // the dense original
  std::optional<RunFolder> run;  // where a RUN was named

  /// Opens `path`; for a run the original is found by its recipe or given by `dense`. Throws Refusal when
  /// neither fits, or when the original is not the one that was converted.
  static OpenedModel open(const std::filesystem::path& path,
                          const std::optional<std::filesystem::path>& dense = {});

  /// All dense for a MODEL; for a RUN its policy.json or `file`. Throws Refusal (a policy for a layer that is
  /// not converted).
  Policy policy(const std::optional<std::filesystem::path>& file = {}) const;
};

}  // namespace ladimo
