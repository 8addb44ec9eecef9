// Export formats: the ways to write a run under a policy.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/gguf_precision.h"
#include "model/standard_moe.h"
#include "model/weight_source.h"
#include "policy/moe_class.h"
#include "policy/policy_file.h"
#include "run/export_report.h"
#include "run/run_folder.h"

namespace ladimo {

/// The run, policy and settings of one export.
struct ExportSource {
  Checkpoint original;  // the dense model that the run converted
  RunFolder run;
  Policy policy;
  bool all_policies = false;  // converted layers keep their dense weights too, so that any policy can be used
  std::uint64_t shard_bytes = std::uint64_t{4} << 30;  // size limit of one file of weights
  /// A layer with experts as a MoE class computes it. Null for the native format.
  std::function<std::shared_ptr<const StandardMoe>(int layer)> moe = {};
  std::string description = {};  // of the model, for files that hold one
};

class Format {
 public:
  virtual ~Format() = default;
  /// The name that `--format` takes, and the one that people know.
  virtual const char* name() const = 0;
  virtual const char* title() const = 0;
  /// The class that the format belongs to; null for the native format, which expresses everything.
  virtual const MoeClass* moe_class() const { return nullptr; }
  /// Whether it writes a GGUF file instead of a folder.
  virtual bool in_gguf() const { return false; }
  /// Which policies of the run it can express, in a model of so many layers. Precondition: moe_class() is not
  /// null.
  virtual MoeLimits limits(const RunFolder&, std::size_t /*layers*/) const { return {}; }

  /// Why no run of this model can be written, or nothing where it can.
  virtual std::optional<Problem> objection(const Checkpoint& original) const = 0;
  /// Why the run cannot be written under this policy as it is, or nothing where it can. A fit
  /// (transfer/moe_fit.h) may make it one that can.
  virtual std::optional<Problem> objection(const RunFolder& run, const ModelPolicy& policy) const = 0;
  /// The bytes of weights that write() will write.
  virtual std::uint64_t bytes(const ExportSource& source) const = 0;
  /// Writes everything under `path`, one tensor at a time: an existing folder, or for GGUF a file that does
  /// not exist. Throws Error when the disk is full, and Interrupted.
  virtual void write(const ExportSource& source, const std::filesystem::path& path,
                     const Context& context) const = 0;
  /// What verify() compares with.
  struct Expected {
    at::Tensor ids;     // [n, W] int64
    at::Tensor logits;  // [n W, vocab] fp32: those of the run under its policy
  };
  /// Reads the files again, without the run or its original, and compares them with the run. The code that
  /// reads shares nothing with write(). `weights` are those of the original, `dtype` is that of `logits`.
  /// Throws Error that names what differs.
  virtual Verification verify(const ExportSource& source, const std::filesystem::path& path,
                              const Expected& expected, const WeightSource& weights,
                              const Context& context) const = 0;
};

/// The format of a name, and with `gguf` the one that writes GGUF files in this precision. Throws Refusal
/// with the names of all formats when `name` is none of them, and where there is no GGUF of it.
std::unique_ptr<const Format> format_named(const std::string& name, std::optional<GgufPrecision> gguf = {});
/// All formats, native first; those of GGUF in `precision`.
std::vector<std::unique_ptr<const Format>> all_formats(GgufPrecision precision);

/// `wanted` where the limits of a format allow it; else, of the policies that they allow and that cost no
/// more, the one of least predicted KL; the cheapest where none is so cheap. Throws Refusal where they allow
/// none, and for a run without experts. Precondition: the format has a class.
Policy nearest_policy(const Format& format, const RunFolder& run, const Policy& wanted);

/// Copies the files of the tokenizer, the chat template and the generation settings that there are.
void copy_small_files(const ModelFiles& from, const std::filesystem::path& to);

/// Logits of the written model against those that were expected: the largest difference, and KL(expected ||
/// found).
Verification compare_logits(const at::Tensor& expected, const at::Tensor& found);
/// Throws Error where the largest difference is more than what rounding leaves.
void require_same_logits(const at::Tensor& expected, const at::Tensor& found,
                         const std::filesystem::path& path);

}  // namespace ladimo
