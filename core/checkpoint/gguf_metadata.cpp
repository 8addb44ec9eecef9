#include "checkpoint/gguf_metadata.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace ladimo {
namespace {

template <class Number>
Number entry_at(const GgufList& list, std::uint64_t index) {
  Number number;
  std::memcpy(&number, list.bytes.data() + index * sizeof number, sizeof number);
  return number;
}

}  // namespace

double shortest_decimal(float value) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  double number = static_cast<double>(value);
  std::from_chars(digits, end, number);
  return number;
}

bool GgufMetadata::add(std::string_view key, GgufValue value) {
  return values_.emplace(std::string(key), value).second;
}

void GgufMetadata::refuse(std::string_view key, std::string_view complaint, std::string_view hint) const {
  throw Refusal(fmt::format("{}: {} {}", file_.filename().string(), key, complaint), std::string(hint),
                file_);
}

const GgufValue* GgufMetadata::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

const GgufList& GgufMetadata::list(std::string_view key, const GgufValue& value) const {
  const auto* found = std::get_if<GgufList>(&value);
  if (found == nullptr) refuse(key, "is not a list.");
  return *found;
}

std::optional<std::int64_t> GgufMetadata::whole(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* number = std::get_if<std::uint64_t>(value); number != nullptr && *number <= INT64_MAX)
    return static_cast<std::int64_t>(*number);
  if (const auto* number = std::get_if<std::int64_t>(value); number != nullptr && *number >= 0)
    return *number;
  refuse(key, std::holds_alternative<GgufList>(*value)
                  ? "has a value per layer; only one value for all is supported."
                  : "is not a whole number of at least 0.");
}

std::optional<double> GgufMetadata::number(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* number = std::get_if<float>(value); number != nullptr && std::isfinite(*number))
    return shortest_decimal(*number);
  if (const auto* number = std::get_if<double>(value); number != nullptr && std::isfinite(*number))
    return *number;
  if (const auto* number = std::get_if<std::uint64_t>(value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<std::int64_t>(value)) return static_cast<double>(*number);
  refuse(key, "is not a finite number.");
}

std::optional<bool> GgufMetadata::flag(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* flag = std::get_if<bool>(value)) return *flag;
  refuse(key, "is not true or false.");
}

std::optional<std::string> GgufMetadata::text(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* text = std::get_if<std::string_view>(value)) return std::string(*text);
  refuse(key, "is not a text.");
}

std::optional<std::vector<std::string_view>> GgufMetadata::texts(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  const GgufList& entries = list(key, *value);
  if (entries.type != GgufType::text) refuse(key, "is not a list of texts.");
  std::vector<std::string_view> texts;
  texts.reserve(entries.count);  // each has taken at least 8 bytes of the file
  auto rest = entries.bytes;
  for (std::uint64_t i = 0; i < entries.count; ++i) {
    std::uint64_t length = 0;
    std::memcpy(&length, rest.data(), sizeof length);
    texts.emplace_back(reinterpret_cast<const char*>(rest.data()) + sizeof length, length);
    rest = rest.subspan(sizeof length + length);
  }
  return texts;
}

std::optional<std::vector<float>> GgufMetadata::floats(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  const GgufList& entries = list(key, *value);
  if (entries.type != GgufType::f32) refuse(key, "is not a list of fp32 numbers.");
  std::vector<float> numbers(entries.count);
  for (std::uint64_t i = 0; i < entries.count; ++i) numbers[i] = entry_at<float>(entries, i);
  return numbers;
}

std::optional<std::vector<std::int64_t>> GgufMetadata::wholes(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  const GgufList& entries = list(key, *value);
  if (entries.type != GgufType::i32 && entries.type != GgufType::u32)
    refuse(key, "is not a list of whole numbers.");
  std::vector<std::int64_t> numbers(entries.count);
  for (std::uint64_t i = 0; i < entries.count; ++i)
    numbers[i] = entries.type == GgufType::i32 ? std::int64_t{entry_at<std::int32_t>(entries, i)}
                                               : std::int64_t{entry_at<std::uint32_t>(entries, i)};
  return numbers;
}

}  // namespace ladimo
