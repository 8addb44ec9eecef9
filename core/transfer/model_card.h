// README.md of an exported model: what it is and what was measured.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

/// Markdown from what report.json holds (commands/export.h).
std::string model_card(const nlohmann::json& report);

}  // namespace ladimo
