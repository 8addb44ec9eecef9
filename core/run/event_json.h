// The schema of events: written and parsed here and nowhere else. One JSON object a line, key "event" names
// the kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/events.h"

namespace ladimo {

/// One line without the newline, e.g. {"event":"progress","layer":3,"done":10,"total":96,"eta_s":4.2}. An
/// event that belongs to a request of `serve` carries its number as `id`; a token's own is `token_id` there.
std::string to_json_line(const Event& event, std::optional<std::int64_t> request = {});
/// Throws Refusal with the line when it is not an event.
Event parse_event(std::string_view line);

}  // namespace ladimo
