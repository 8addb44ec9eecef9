// 128-bit content hashes (XXH3). They detect accidents, not forgeries.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace ladimo {

/// Streaming hash; `hex()` is 32 lower-case digits.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& add(const void* data, std::size_t bytes);
  Hasher& add(std::string_view text) { return add(text.data(), text.size()); }
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The hash of `bytes`, as Hasher::hex gives it.
std::string hash_hex(std::string_view bytes);

}  // namespace ladimo
