// A run and its dense original, opened for work.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "checkpoint/checkpoint.h"
#include "commands/runtime.h"
#include "model/moe_layers.h"
#include "run/run_folder.h"
#include "text/tokenizer.h"

namespace ladimo {

/// Converted layers of a run, read from its folder when asked for.
MoeLayers run_layers(const RunFolder& run, at::Device device, at::ScalarType dtype);

/// What the recipe keeps residual streams as.
at::ScalarType stream_dtype(const Recipe& recipe);

/// The policy that leaves every layer as it is.
ModelPolicy all_dense(const ModelConfig& config);

/// A MODEL or a RUN as a command names it. A MODEL is dense, or a native model folder.
struct OpenedModel {
  Checkpoint checkpoint;               // the weights outside the FFNs, and dense FFNs
  std::optional<RunFolder> run;        // where a RUN was named; `checkpoint` is its dense original
  std::optional<Checkpoint> original;  // of a native folder, where it was found

  /// Opens `path`; the original of a run or native folder is found by its recipe or section, or given by
  /// `dense`. Throws Refusal when neither fits (a native folder does without), or when the original is not
  /// the one that was converted.
  static OpenedModel open(const std::filesystem::path& path,
                          const std::optional<std::filesystem::path>& dense = {});

  bool is_converted() const { return run || checkpoint.native(); }
  /// Whether the dense FFN of a layer is there, of every layer, or the converted one.
  bool has_dense(int layer) const;
  bool has_dense() const;
  bool has_converted(int layer) const;
  /// Fingerprint of the dense original, which policies name.
  std::string fingerprint() const;
  MoeLayers layers(at::Device device, at::ScalarType dtype) const;

  /// All dense for a dense MODEL; else its own policy.json or `file`. Throws Refusal (a policy for another
  /// model, for FFNs that are not there, with more experts than there are).
  Policy policy(const std::optional<std::filesystem::path>& file = {}) const;
  /// The same from the content of a policy file.
  Policy policy_from(const nlohmann::json& content) const;

 private:
  Policy checked(Policy policy, const std::filesystem::path& file) const;
};

}  // namespace ladimo
