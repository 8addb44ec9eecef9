// `ladimo export`: writes a run under a policy as a model folder of its own, and verifies that it is the same
// model.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "checkpoint/gguf_precision.h"
#include "commands/runtime.h"
#include "run/export_report.h"

namespace ladimo {

struct ExportRequest {
  std::filesystem::path run;
  std::optional<std::filesystem::path> policy;  // none: the run's own
  std::optional<std::filesystem::path> dense;   // folder of the original, if it was moved
  std::vector<std::filesystem::path> run_text;  // where the run's text files are now, for a fit
  std::string format = "native";
  std::optional<GgufPrecision> gguf;  // writes a GGUF file instead of a folder
  bool fit = false;                   // makes of the run what the format can say
  int finish = 0;                     // passes of training through the calibration text after the fit
  std::filesystem::path output;       // must not exist yet
  bool all_policies = false;  // converted layers keep their dense weights too, so that any policy can be used
  std::uint64_t shard_bytes = std::uint64_t{4} << 30;
};

/// Writes the run as a model folder or a GGUF file (docs/formats.md) under a temporary name, reads it again,
/// compares it with the run, and gives it its final name. Throws Refusal for an unknown format, a policy that
/// the format cannot express (without `fit`), an existing output, a missing policy or too little disk space,
/// and Error when the model that was read again differs from the run. Nothing is left behind then.
ExportResult export_run(const ExportRequest& request, const Runtime& runtime, const Context& context);

}  // namespace ladimo
