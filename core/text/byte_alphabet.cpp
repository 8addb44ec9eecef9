#include "text/byte_alphabet.h"

#include <array>

#include "base/utf8.h"

namespace ladimo {
namespace {

constexpr int characters = 324;  // of the alphabet, with gaps

struct Alphabet {
  std::array<std::string, 256> of_byte;
  std::array<int, characters> byte_of;  // -1: a gap
};

bool stands_for_itself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

const Alphabet& alphabet() {
  static const Alphabet known = [] {
    Alphabet all;
    all.byte_of.fill(-1);
    char32_t next = 256;
    for (int byte = 0; byte < 256; ++byte) {
      const char32_t character = stands_for_itself(byte) ? static_cast<char32_t>(byte) : next++;
      append_utf8(character, all.of_byte[static_cast<std::size_t>(byte)]);
      all.byte_of[character] = byte;
    }
    return all;
  }();
  return known;
}

}  // namespace

std::optional<std::string> bytes_spelled(std::string_view spelled) {
  std::string bytes;
  for (std::size_t at = 0; at < spelled.size();) {
    const Utf8Character next = utf8_at(spelled, at);
    if (next.value >= characters || alphabet().byte_of[next.value] < 0) return std::nullopt;
    bytes += static_cast<char>(alphabet().byte_of[next.value]);
    at += next.bytes;
  }
  return bytes;
}

std::string spell_bytes(std::string_view bytes) {
  std::string spelled;
  for (const char byte : bytes) spelled += alphabet().of_byte[static_cast<unsigned char>(byte)];
  return spelled;
}

}  // namespace ladimo
