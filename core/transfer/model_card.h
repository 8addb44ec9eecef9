// What an exported model says of itself: README.md of a folder, and the description inside a GGUF file.
#pragma once

#include <optional>
#include <string>

#include "run/export_report.h"

namespace ladimo {

/// Returns the text as Markdown. `predicted_ratio` is what the run's tables predict
/// (policy/perplexity_change.h); absent where the run has none.
std::string model_card(const ExportReport& report, std::optional<double> predicted_ratio);
/// The same in two sentences, which a GGUF file has inside. `report.verification` is not used.
std::string model_summary(const ExportReport& report);

}  // namespace ladimo
