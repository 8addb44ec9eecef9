// `ladimo export`: writes a run under a policy as a model folder of its own, and proves that it is the same
// model.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/context.h"
#include "commands/runtime.h"
#include "run/export_report.h"

namespace ladimo {

struct ExportRequest {
  std::filesystem::path run;
  std::optional<std::filesystem::path> policy;  // none: the run's
  std::optional<std::filesystem::path> dense;   // the original, where it was moved
  std::string format = "native";
  std::filesystem::path output;  // must not be there yet
  bool all_policies = false;  // converted layers keep their dense weights too, so that any policy can be used
  std::uint64_t shard_bytes = std::uint64_t{4} << 30;
};

/// Writes a native model folder (docs/formats.md) under a temporary name, reads it again, compares its logits
/// with the run's, and gives it its name. Throws Refusal (another format, a folder that is there, no such
/// policy, too little disk), Error when what was read again is another model; nothing is left behind then.
ExportResult export_run(const ExportRequest& request, const Runtime& runtime, const Context& context);

}  // namespace ladimo
