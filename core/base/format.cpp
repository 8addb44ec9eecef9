#include "base/format.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace ladimo {
namespace {

// The power of ten of the leading digit, after rounding to three digits (99.96 counts as 100).
int decimal_exponent(double value) {
  const std::string rounded = fmt::format("{:.2e}", value);
  return std::atoi(rounded.c_str() + rounded.find('e') + 1);
}

// Divides by `base` until fewer than four digits stand before the point.
std::string scaled(double value, double base, std::span<const char* const> units) {
  std::size_t unit = 0;
  while (unit + 1 < units.size() && std::abs(value) >= std::min(base, 999.5)) {
    value /= base;
    ++unit;
  }
  const std::string digits = unit == 0 ? fmt::format("{:.0f}", value) : format_number(value);
  return digits + units[unit];
}

}  // namespace

std::string format_number(double value) {
  if (value == 0 || !std::isfinite(value)) return fmt::format("{}", value == 0 ? 0.0 : value);
  return fmt::format("{:.{}f}", value, std::max(0, 2 - decimal_exponent(value)));
}

std::string format_bytes(double bytes) {
  static constexpr const char* units[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB"};
  return scaled(bytes, 1024, units);
}

std::string format_count(double count) {
  static constexpr const char* units[] = {"", "K", "M", "B", "T"};
  return scaled(count, 1000, units);
}

std::uint64_t parse_bytes(std::string_view text) {
  constexpr std::pair<std::string_view, double> units[] = {
      {"", 1},      {"B", 1},        {"KB", 1e3},     {"MB", 1e6},     {"GB", 1e9},
      {"TB", 1e12}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
  double count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, bytes] : units)
    if (error == std::errc() && name == unit && count > 0 && count * bytes < 0x1p63)
      return static_cast<std::uint64_t>(count * bytes);
  throw Refusal(fmt::format("\"{}\" is not an amount of memory.", text), "Write for example 4GB or 512MiB.");
}

std::string format_seconds(double seconds) {
  if (seconds < 0.9995) return fmt::format("{:.{}f} ms", seconds * 1e3, seconds < 0.000995 ? 1 : 0);
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const long long whole = std::llround(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  const long long minutes = std::llround(seconds / 60);
  if (minutes < 24 * 60) return fmt::format("{} h {} min", minutes / 60, minutes % 60);
  const long long hours = std::llround(seconds / 3600);
  return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return lower;
}

}  // namespace ladimo
