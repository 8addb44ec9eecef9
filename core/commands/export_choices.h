// `ladimo export --formats`: which formats can express a run under a policy, and what the nearest model in
// each would be.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "checkpoint/gguf_precision.h"
#include "commands/opened_model.h"

namespace ladimo {

/// One format, as a folder or as GGUF.
struct FormatChoice {
  std::string name;   // as `--format` takes it
  std::string title;  // as people know it
  bool gguf = false;
  std::optional<Problem> impossible;  // why no run of this model can be written
  std::optional<Problem> objection;   // why this one cannot be without a fit
  /// The policy that would be written: the wanted one, or the nearest. Absent where there is none.
  std::optional<Policy> policy;
  std::optional<std::uint64_t> bytes;  // of the weights, about
};

/// All formats for a run under a policy. GGUF files are counted in `precision`. Of
/// converted layers only what a class may object to is read: the bias of the router and the compensation.
std::vector<FormatChoice> export_choices(const OpenedModel& opened, const Policy& wanted,
                                         GgufPrecision precision);

/// {formats: [{format, title, gguf, expressible, possible, reason, hint, dense_layers, k, kl,
/// activated_fraction, bytes}]}. `kl` is predicted, before a fit. `reason` and what follows may be null.
nlohmann::json to_json(const std::vector<FormatChoice>& choices);

}  // namespace ladimo
