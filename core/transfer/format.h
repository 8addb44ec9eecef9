// Export formats: the ways to write a run under a policy.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "decode/decoder.h"
#include "policy/policy_file.h"
#include "run/run_folder.h"

namespace ladimo {

/// The run, policy and settings of one export.
struct ExportSource {
  Checkpoint original;  // the dense model that the run converted
  RunFolder run;
  Policy policy;
  bool all_policies = false;  // converted layers keep their dense weights too, so that any policy can be used
  std::uint64_t shard_bytes = std::uint64_t{4} << 30;  // size limit of one file of weights
};

class Format {
 public:
  virtual ~Format() = default;
  /// The name that `--format` takes.
  virtual const char* name() const = 0;
  /// Why the format cannot express a policy, or nothing where it can.
  virtual std::optional<Problem> objection(const ModelPolicy& policy) const = 0;
  /// The bytes of weights that write() will write.
  virtual std::uint64_t bytes(const ExportSource& source) const = 0;
  /// Writes config, weights and tokenizer into an existing folder, one tensor at a time. Throws Error when
  /// the disk is full, and Interrupted.
  virtual void write(const ExportSource& source, const std::filesystem::path& folder,
                     const Context& context) const = 0;
  /// Loads the exported model from its folder alone. The code shares nothing with write().
  virtual Decoder reread(const std::filesystem::path& folder, at::Device device,
                         at::ScalarType dtype) const = 0;
};

/// All formats that this version writes.
const std::vector<const Format*>& formats();
/// Throws Refusal with the names of all formats when `name` is none of them.
const Format& format_named(const std::string& name);

}  // namespace ladimo
