// What an exported model says of itself: README.md of a folder, and the description inside a GGUF file.
#pragma once

#include <string>

#include "run/export_report.h"

namespace ladimo {

/// Returns the text as Markdown.
std::string model_card(const ExportReport& report);
/// The same in two sentences, which a GGUF file has inside. `report.verification` is not used.
std::string model_summary(const ExportReport& report);

}  // namespace ladimo
