// A checkpoint in the Hugging Face layout, dense or a native model folder: config, tensors, fingerprint.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "checkpoint/config.h"
#include "checkpoint/native.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/tensor_names.h"

namespace ladimo {

struct Examination;

class Checkpoint {
 public:
  /// Opens config and tensor headers. Throws Refusal (all problems listed) when the folder, config.json or
  /// the safetensors are missing or broken, the architecture is unknown, or a tensor is missing, misshaped or
  /// of a dtype that is not F32, F16 or BF16. Weights are not read: see find_bad_weights.
  static Checkpoint open(const std::filesystem::path& folder);
  /// Like open(), but what open() would throw is listed.
  static Examination examine(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  /// Of the dense model; of the dense original for a native model folder.
  const ModelConfig& config() const { return config_; }
  /// What became of the FFNs, in a native model folder.
  const std::optional<NativeSection>& native() const { return native_; }
  const TensorStore& store() const { return store_; }
  const TensorView& tensor(Role role, std::int64_t layer = 0) const;
  bool has(Role role, std::int64_t layer = 0) const;
  /// What converted layers are stored as: fp32 weights stay fp32, all others become bf16.
  DType converted_dtype() const;

  /// Hash over config.json, the tensor table and a fixed sample of every tensor's bytes; fast for 14 GB.
  std::string fingerprint() const;
  /// Hash over one tensor's name, type, shape and a fixed sample of its bytes.
  static std::string fingerprint(const TensorView& view);

 private:
  std::filesystem::path folder_;
  ModelConfig config_;
  std::optional<NativeSection> native_;
  TensorStore store_;
};

/// What can be known of a folder without reading weights.
struct Examination {
  ModelConfig config;                // as far as config.json could be understood
  std::vector<Problem> problems;     // everything that Checkpoint::open refuses
  std::optional<Checkpoint> opened;  // there unless there are problems
};

/// Reads every weight; one problem per tensor that holds NaN or Inf (with the position of the first).
std::vector<Problem> find_bad_weights(const Checkpoint& checkpoint, const Context& context);

}  // namespace ladimo
