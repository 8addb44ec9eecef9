// A checkpoint in the Hugging Face layout: config, tensors and fingerprint of a dense model or of a native
// model folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/model_files.h"
#include "checkpoint/config.h"
#include "checkpoint/native.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/tensor_names.h"

namespace ladimo {

struct Examination;

enum class FileFormat { safetensors, gguf };

class Checkpoint {
 public:
  /// Opens config and tensor headers of a model folder or a GGUF file. Throws Refusal (all problems listed)
  /// when the folder, config.json or the safetensors are missing or broken, the architecture is unknown, or a
  /// tensor is missing, misshaped or of a dtype that is not F32, F16 or BF16. Weights are not read: see
  /// find_bad_weights.
  static Checkpoint open(const std::filesystem::path& path);
  /// Like open(), but returns the problems that open() would throw.
  static Examination examine(const std::filesystem::path& path);

  /// The folder, or the GGUF file.
  const std::filesystem::path& path() const { return files_.source(); }
  /// The configuration and the tokenizer's files.
  const ModelFiles& files() const { return files_; }
  /// The configuration of the dense model. For a native model folder it is that of the dense original. Texts
  /// end at the tokens of config.json and of generation_config.json. A stored lm_head.weight that differs
  /// from a tied embedding is used and counts as not tied, as in transformers 5.
  const ModelConfig& config() const { return config_; }
  /// Which FFN weights a native model folder holds; absent for a dense model.
  const std::optional<NativeSection>& native() const { return native_; }
  FileFormat format() const { return format_; }
  const TensorStore& store() const { return store_; }
  const TensorView& tensor(Role role, std::int64_t layer = 0) const;
  bool has(Role role, std::int64_t layer = 0) const;
  /// The dtype in which converted layers are stored: fp32 when the weights are fp32, else bf16.
  DType converted_dtype() const;

  /// Hash over config.json, the tensor table and a fixed sample of every tensor's bytes, which is fast even
  /// for 14 GB.
  std::string fingerprint() const;
  /// Hash over one tensor's name, type, shape and a fixed sample of its bytes.
  static std::string fingerprint(const TensorView& view);

 private:
  Checkpoint(ModelFiles files, TensorStore store) : files_(std::move(files)), store_(std::move(store)) {}

  ModelFiles files_;
  FileFormat format_ = FileFormat::safetensors;
  ModelConfig config_;
  std::optional<NativeSection> native_;
  TensorStore store_;
};

/// What can be learned about a model without reading its weights.
struct Examination {
  ModelConfig config;                // as far as config.json could be understood
  std::vector<Problem> problems;     // everything that Checkpoint::open refuses
  std::vector<Problem> warnings;     // where sources of one fact differ: which one is used
  std::optional<ModelFiles> files;   // absent where there are none that could be read
  std::optional<Checkpoint> opened;  // absent when there are problems
};

/// The small files of a model folder or a GGUF file, without a look at its tensors. Throws Refusal for a path
/// that is neither, and for a GGUF file that cannot be read.
ModelFiles model_files(const std::filesystem::path& path);

struct TokenizerFiles {
  ModelFiles files;
  std::optional<ModelConfig> config;  // absent where it cannot be read, or says what is not known here
};
/// The files of a model's tokenizer, for which neither weights nor a configuration are needed. Throws Refusal
/// for a path that is neither a folder nor a GGUF file, and for a GGUF file whose tokenizer cannot be used.
TokenizerFiles tokenizer_files(const std::filesystem::path& path);

/// Whether `path` is a GGUF file, or a folder with a config.json.
bool looks_like_model(const std::filesystem::path& path);

/// Reads every weight. Returns one problem per tensor that holds NaN or Inf, with the position of the first.
std::vector<Problem> find_bad_weights(const Checkpoint& checkpoint, const Context& context);

}  // namespace ladimo
