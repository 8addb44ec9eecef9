// Random numbers that are the same on every machine. The distributions of the standard library are not used,
// because implementations may differ.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace ladimo {

/// xoshiro256** seeded by splitmix64. Satisfies UniformRandomBitGenerator.
class Random {
 public:
  using result_type = std::uint64_t;
  explicit Random(std::uint64_t seed);
  /// A separate stream for one purpose ("partition", "distil", ...) and index (a layer), so that a resumed
  /// run draws the same numbers as an uninterrupted one.
  Random(std::uint64_t seed, std::string_view purpose, std::uint64_t index = 0);

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()();

  /// Uniform in [0, 1).
  double uniform();
  /// Uniform in 0 ... n - 1. Precondition: n > 0.
  std::uint64_t below(std::uint64_t n);

  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::uint64_t state_[4];
};

}  // namespace ladimo
