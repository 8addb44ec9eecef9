// Numbers as people read them: three significant digits, units, never 1e-05.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ladimo {

/// 1536 -> "1.50 KiB", 14.2e9 -> "13.2 GiB".
std::string format_bytes(double bytes);
/// Parses an amount of memory such as "4GB" (10^9 bytes each), "1.5GiB" (2^30), "512MB" or "4096" (bytes).
/// Throws Refusal for any other text.
std::uint64_t parse_bytes(std::string_view text);
/// 0.004 -> "4 ms", 75 -> "1 min 15 s", 7300 -> "2 h 2 min".
std::string format_seconds(double seconds);
/// 3222144 -> "3.22M", 6738415616 -> "6.74B".
std::string format_count(double count);
/// Three significant digits in plain decimals: 0.0000123 -> "0.0000123", 12.345 -> "12.3".
std::string format_number(double value);

/// `text` with the letters A ... Z in lower case.
std::string lower_case(std::string_view text);

}  // namespace ladimo
