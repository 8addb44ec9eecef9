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

/// The converted layers of a run. Each is read from the run folder when it is asked for.
MoeLayers run_layers(const RunFolder& run, at::Device device, at::ScalarType dtype);

/// The dtype in which the recipe keeps residual streams.
at::ScalarType stream_dtype(const Recipe& recipe);

/// The policy that leaves every layer as it is.
ModelPolicy all_dense(const ModelConfig& config);

/// A MODEL or a RUN that a command names. A MODEL is a dense model or a native model folder.
struct OpenedModel {
  Checkpoint checkpoint;               // the weights outside the FFNs, and dense FFNs
  std::optional<RunFolder> run;        // when a RUN was named; `checkpoint` is its dense original
  std::optional<Checkpoint> original;  // the dense original of a native folder, if it was found
  /// Where text files of the run are now, for those that were moved (run/run_text.h).
  std::vector<std::filesystem::path> run_text = {};

  /// Opens `path`. The dense original of a run or native folder is `dense`, or else the one that the recipe
  /// or config.json names. Throws Refusal when `dense` is not the checkpoint that was converted, or when the
  /// original of a run is missing or another checkpoint. A native folder also opens without its original.
  static OpenedModel open(const std::filesystem::path& path,
                          const std::optional<std::filesystem::path>& dense = {});

  bool is_converted() const { return run || checkpoint.native(); }
  /// Whether the folder has the dense FFN of one layer, the dense FFNs of all layers, or the converted FFN of
  /// one layer.
  bool has_dense(int layer) const;
  bool has_dense() const;
  bool has_converted(int layer) const;
  /// Fingerprint of the dense original, which policies name.
  std::string fingerprint() const;
  /// Where hashes of the text are that a converted model was made with (run/seen_text.h); absent in folders
  /// of earlier versions. Precondition: is_converted().
  std::filesystem::path seen_text_file() const;
  MoeLayers layers(at::Device device, at::ScalarType dtype) const;

  /// The policy to use: all dense for a dense MODEL, else `file` or the folder's own policy.json. Throws
  /// Refusal when the policy is for another model, or needs FFNs or experts that are not there.
  Policy policy(const std::optional<std::filesystem::path>& file = {}) const;
  /// Reads a policy from the content of a policy file. Throws Refusal like policy(), and for a dense MODEL.
  Policy policy_from(const nlohmann::json& content) const;

 private:
  Policy checked(Policy policy, const std::filesystem::path& file) const;
};

}  // namespace ladimo
