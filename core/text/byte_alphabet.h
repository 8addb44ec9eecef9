// The alphabet in which byte-level tokenizers spell bytes: one printable character for each of the 256 values
// (bytes_to_unicode of GPT-2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ladimo {

/// The bytes that `spelled` stands for. Absent when a character does not belong to the alphabet.
std::optional<std::string> bytes_spelled(std::string_view spelled);

/// The spelling of bytes.
std::string spell_bytes(std::string_view bytes);

}  // namespace ladimo
