#include "base/random.h"

#include <xxhash.h>

#include <bit>

namespace ladimo {
namespace {

std::uint64_t splitmix64(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Mixes seed, purpose and index one after the other, so that neighbouring seeds and indices give unrelated
// streams.
std::uint64_t mix(std::uint64_t seed, std::string_view purpose, std::uint64_t index) {
  std::uint64_t state = XXH3_64bits_withSeed(purpose.data(), purpose.size(), splitmix64(seed)) ^ index;
  return splitmix64(state);
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (std::uint64_t& word : state_) word = splitmix64(seed);
}

Random::Random(std::uint64_t seed, std::string_view purpose, std::uint64_t index)
    : Random(mix(seed, purpose, index)) {}

Random::result_type Random::operator()() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

std::uint64_t Random::below(std::uint64_t n) {
  // 2^64 mod n values at the low end are drawn again, so that all remainders are equally likely.
  const std::uint64_t unfair = -n % n;
  std::uint64_t x = (*this)();
  while (x < unfair) x = (*this)();
  return x % n;
}

}  // namespace ladimo
