// The metadata of a GGUF file: values by key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

/// The types of values, by their numbers in the file.
enum class GgufType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, flag, text, list, u64, i64, f64 };

/// A list where it lies in the file; its length has been checked.
struct GgufList {
  GgufType type = GgufType::u8;  // of its entries
  std::uint64_t count = 0;
  std::span<const std::byte> bytes;
};

using GgufValue = std::variant<std::uint64_t, std::int64_t, float, double, bool, std::string_view, GgufList>;

/// Views into the mapped file, which must outlive them. Every reader of a key returns nothing where the key
/// is absent, and throws Refusal that names it where its value has another type or cannot be held.
class GgufMetadata {
 public:
  explicit GgufMetadata(std::filesystem::path file) : file_(std::move(file)) {}

  /// Returns false when there is such a key already.
  bool add(std::string_view key, GgufValue value);

  const std::filesystem::path& file() const { return file_; }
  const std::map<std::string, GgufValue, std::less<>>& values() const { return values_; }
  bool has(std::string_view key) const { return values_.contains(key); }

  /// A whole number >= 0 of any type.
  std::optional<std::int64_t> whole(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> flag(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  std::optional<std::vector<std::string_view>> texts(std::string_view key) const;
  std::optional<std::vector<float>> floats(std::string_view key) const;
  std::optional<std::vector<std::int64_t>> wholes(std::string_view key) const;

  /// Throws Refusal: "FILE: `key` `complaint`".
  [[noreturn]] void refuse(
      std::string_view key, std::string_view complaint,
      std::string_view hint = "Download the file again, or make it again from the checkpoint.") const;

 private:
  const GgufValue* find(std::string_view key) const;
  const GgufList& list(std::string_view key, const GgufValue& value) const;

  std::filesystem::path file_;
  std::map<std::string, GgufValue, std::less<>> values_;
};

/// The shortest decimal number that an fp32 value is nearest to: 0.22 and not 0.2199999988079071, as the
/// configuration that it came from says it.
double shortest_decimal(float value);

}  // namespace ladimo
