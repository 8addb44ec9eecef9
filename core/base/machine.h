// The machine and the time that a measurement is labelled with.
#pragma once

#include <cstdint>
#include <string>

namespace ladimo {

/// The processor as the system names it.
std::string processor_name();
/// All of its memory, in bytes; 0 where the system does not say.
std::uint64_t memory_bytes();
/// The time now in UTC, ISO 8601 to the second: "2025-01-31T12:00:00Z".
std::string now_iso();

}  // namespace ladimo
