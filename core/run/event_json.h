// The schema of events: one JSON object a line, whose key "event" names the kind. No other file writes or
// parses them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/events.h"

namespace ladimo {

/// One line without the newline, e.g. {"event":"progress","layer":3,"done":10,"total":96,"eta_s":4.2}. An
/// event that belongs to a request of `serve` has the request's number as `id`. A token's own number is then
/// called `token_id`.
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
