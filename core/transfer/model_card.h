// README.md of an exported model, which says what the model is and what was measured.
#pragma once

#include <optional>
#include <string>

#include "run/export_report.h"

namespace ladimo {

/// Returns the text as Markdown. `predicted_ratio` is what the run's tables predict
/// (policy/perplexity_change.h); absent where the run has none.
std::string model_card(const ExportReport& report, std::optional<double> predicted_ratio);

}  // namespace ladimo
