// README.md of an exported model, which says what the model is and what was measured.
#pragma once

#include <string>

#include "run/export_report.h"

namespace ladimo {

/// Returns the text as Markdown.
std::string model_card(const ExportReport& report);

}  // namespace ladimo
