// The schema of events: written and parsed here and nowhere else. One JSON object a line, key "event" names
// the kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/events.h"

namespace ladimo {

/// One line without the newline, e.g. {"event":"progress","layer":3,"done":10,"total":96,"eta_s":4.2}. An
/// event that belongs to a request of `serve` carries its number as `id`; a token's own is `token_id` there.
std::string to_json_line(const Event& event, std::optional<std::int64_t> request = {});

struct EventLine {
  Event event;
  std::optional<std::int64_t> request;  // of `serve` that it belongs to
};
/// Throws Refusal with the line when it is not an event.
EventLine parse_event_line(std::string_view line);
Event parse_event(std::string_view line);

/// What the engine printed with `--json`, or the object in a ResultEvent, for the reader of its type. Throws
/// Refusal when it is not JSON.
nlohmann::json parse_output(std::string_view text);

}  // namespace ladimo
