// The schema of events: one JSON object per line, whose key "event" names the kind. No other file writes or
// parses them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/events.h"

namespace ladimo {

/// Returns one line without the newline, e.g.
/// {"event":"progress","layer":3,"done":10,"total":96,"eta_s":4.2}. An event that belongs to a request of
/// `serve` has the request's number as `id`. A token's own id is then called `token_id`.
std::string to_json_line(const Event& event, std::optional<std::int64_t> request = {});

struct EventLine {
  Event event;
  std::optional<std::int64_t> request;  // number of the `serve` request that it belongs to
};
/// Parses one line. Throws Refusal that quotes the line when it is not an event.
EventLine parse_event_line(std::string_view line);
Event parse_event(std::string_view line);

/// Parses what the engine printed with `--json`, or the object in a ResultEvent. Throws Refusal when it is
/// not JSON.
nlohmann::json parse_output(std::string_view text);

}  // namespace ladimo
