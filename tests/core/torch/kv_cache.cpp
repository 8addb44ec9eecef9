#include "model/kv_cache.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/tensors.h"

using namespace ladimo;
using namespace ladimo::testing;

namespace {

ModelConfig small_config() {
  ModelConfig config;
  config.layers = 2;
  config.kv_heads = 3;
  config.head_dim = 4;
  return config;
}

}  // namespace

TEST_CASE("the cache returns everything that was appended to the layer") {
  KvCache cache(small_config(), 2, 8, at::kCPU, at::kFloat);
  const at::Tensor k = random_tensor({2, 3, 7, 4}, 1), v = random_tensor({2, 3, 7, 4}, 2);
  cache.append(1, k.narrow(2, 0, 5), v.narrow(2, 0, 5));
  const auto [keys, values] = cache.append(1, k.narrow(2, 5, 2), v.narrow(2, 5, 2));
  CHECK(at::equal(keys, k));
  CHECK(at::equal(values, v));
  CHECK(cache.length(1) == 7);
  CHECK(cache.length(0) == 0);
}

TEST_CASE("a cleared cache starts again at position 0") {
  KvCache cache(small_config(), 1, 4, at::kCPU, at::kFloat);
  const at::Tensor first = random_tensor({1, 3, 4, 4}, 1), second = random_tensor({1, 3, 2, 4}, 2);
  cache.append(0, first, first);
  cache.clear();
  CHECK(cache.length(0) == 0);
  CHECK(at::equal(cache.append(0, second, second).first, second));
}

TEST_CASE("the cache keeps its dtype and says when it is full") {
  KvCache cache(small_config(), 1, 4, at::kCPU, at::kBFloat16);
  const at::Tensor k = random_tensor({1, 3, 3, 4}, 1);
  CHECK((cache.append(0, k, k).first.scalar_type() == at::kBFloat16));
  CHECK_THROWS_WITH_AS(cache.append(0, k, k), "The KV cache contains 4 tokens; 6 were to be stored.", Error);
  CHECK(cache.length(0) == 3);
}
