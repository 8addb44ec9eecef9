#include "base/random.h"

#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>

#include "base/hash.h"

using namespace ladimo;

TEST_CASE("the generator is xoshiro256** seeded by splitmix64") {
  // The expected numbers come from the authors' C sources (prng.di.unimi.it) with seed 0.
  Random random(0);
  CHECK(random() == 0x99ec5f36cb75f2b4u);
  CHECK(random() == 0xbf6e1f784956452au);
  CHECK(random() == 0x1a5f849d4933e6e0u);
}

TEST_CASE("every seed, purpose and index has its own stream") {
  CHECK(Random(1, "partition", 3)() == Random(1, "partition", 3)());
  CHECK(Random(1, "partition", 3)() != Random(1, "partition", 4)());
  CHECK(Random(1, "partition", 3)() != Random(1, "distil", 3)());
  CHECK(Random(1, "partition", 3)() != Random(2, "partition", 3)());
}

TEST_CASE("distributions stay in range and are even") {
  Random random(7);
  std::vector<int> hits(5);
  double sum = 0;
  for (int i = 0; i < 20000; ++i) {
    ++hits.at(random.below(5));
    const double u = random.uniform();
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    sum += u;
  }
  for (const int hit : hits) CHECK(hit == doctest::Approx(4000).epsilon(0.05));
  CHECK(sum / 20000 == doctest::Approx(0.5).epsilon(0.02));
}

TEST_CASE("a shuffle is a permutation, the same for the same seed") {
  std::vector<int> a(100), b;
  std::iota(a.begin(), a.end(), 0);
  b = a;
  const auto sorted = a;
  Random(3).shuffle(a);
  Random(3).shuffle(b);
  CHECK(a == b);
  CHECK(a != sorted);
  std::sort(a.begin(), a.end());
  CHECK(a == sorted);
}

TEST_CASE("hashes are XXH3-128 and do not depend on how the bytes are split") {
  CHECK(hash_hex("") == "99aa06d3014798d86001c324468d497f");  // the published value for no input
  CHECK(Hasher().add("ab").add("c").hex() == hash_hex("abc"));
  CHECK(hash_hex("abc") != hash_hex("abd"));
  CHECK(hash_hex("abc").size() == 32);
}
