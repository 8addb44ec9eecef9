// README.md of an exported model: what it is and what was measured.
#pragma once

#include <string>

#include "run/export_report.h"

namespace ladimo {

/// Markdown.
std::string model_card(const ExportReport& report);

}  // namespace ladimo
