// The machine and the time that a measurement is labelled with.
#pragma once

#include <string>

namespace ladimo {

/// The processor as the system names it.
std::string processor_name();
/// The time now in UTC, ISO 8601 to the second: "2025-01-31T12:00:00Z".
std::string now_iso();

}  // namespace ladimo
