// Comparing next-token distributions in one pass, checked against the definitions in ATen in double
// precision.
#include "evaluate/distributions.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <set>
#include <thread>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <doctest/doctest.h>

#include "base/error.h"
#include "stream/side_by_side.h"
#include "support/tensors.h"

using namespace ladimo;
using ladimo::testing::max_difference;
using ladimo::testing::random_tensor;

namespace {

struct Pair {
  at::Tensor dense, model, targets;
};

/// Logits of `rows` tokens, spread over [-scale, scale).
Pair random_pair(std::int64_t rows, std::int64_t vocab, double scale, double apart) {
  const auto dense = random_tensor({rows, vocab}, 1, scale);
  return {dense, dense + random_tensor({rows, vocab}, 2, apart), at::arange(rows) * 7 % vocab};
}

void check_against_definitions(const Pair& pair, double tolerance) {
  const auto log_p = pair.dense.to(at::kDouble).log_softmax(1);
  const auto log_q = pair.model.to(at::kDouble).log_softmax(1);
  const auto kl = (log_p.exp() * (log_p - log_q)).sum(1);
  const auto column = pair.targets.unsqueeze(1);
  const Distributions dense(pair.dense);
  CHECK(max_difference(dense.nll(pair.targets), -log_p.gather(1, column).squeeze(1)) < tolerance);
  const auto found = dense.compare(pair.model, pair.targets);
  CHECK(max_difference(found.kl, kl) < tolerance);
  CHECK(max_difference(found.nll, -log_q.gather(1, column).squeeze(1)) < tolerance);
  CHECK(at::equal(found.same.to(at::kBool), log_p.argmax(1) == log_q.argmax(1)));
  const auto [sum, gradient] = dense.kl_gradient(pair.model, 0.25);
  CHECK(std::abs(sum - kl.sum().item<double>()) < tolerance * static_cast<double>(kl.size(0)));
  CHECK(max_difference(gradient, (log_q.exp() - log_p.exp()) * 0.25) < 1e-6);
}

}  // namespace

TEST_CASE("comparisons equal their definitions for any size of the vocabulary") {
  for (const std::int64_t vocab : {1, 5, 16, 100, 1023, 1024, 4096, 5001}) {
    CAPTURE(vocab);
    check_against_definitions(random_pair(9, vocab, 8, 2), 2e-5);
  }
}

TEST_CASE("small divergences keep their precision") {
  const auto pair = random_pair(40, 4096, 6, 1e-3);
  const auto log_p = pair.dense.to(at::kDouble).log_softmax(1);
  const auto log_q = pair.model.to(at::kDouble).log_softmax(1);
  const double expected = (log_p.exp() * (log_p - log_q)).sum(1).mean().item<double>();
  const double found = Distributions(pair.dense).compare(pair.model, pair.targets).kl.mean().item<double>();
  CHECK(expected < 1e-6);
  CHECK(std::abs(found - expected) < 0.1 * expected);  // a few steps of fp32 at the size of a probability
}

TEST_CASE("logits that are far apart, and logits in bfloat16, are compared") {
  check_against_definitions(random_pair(5, 333, 90, 40), 1e-4);
  auto pair = random_pair(5, 333, 8, 2);
  pair.dense = pair.dense.to(at::kBFloat16);
  pair.model = pair.model.to(at::kBFloat16);
  const auto found = Distributions(pair.dense).compare(pair.model, pair.targets);
  const auto same = Distributions(pair.dense.to(at::kFloat)).compare(pair.model.to(at::kFloat), pair.targets);
  CHECK(at::equal(found.kl, same.kl));
}

TEST_CASE("the divergence of a model from itself is zero") {
  const auto logits = random_tensor({20, 777}, 3, 10);
  const auto found = Distributions(logits).compare(logits, at::zeros({20}, at::kLong));
  CHECK(found.kl.abs().max().item<float>() < 1e-6F);
  CHECK(found.same.min().item<std::uint8_t>() == 1);
}

TEST_CASE("NaN logits give NaN scores") {
  auto pair = random_pair(3, 64, 5, 1);
  pair.model[1][17] = std::numeric_limits<float>::quiet_NaN();
  const auto kl = Distributions(pair.dense).compare(pair.model, pair.targets).kl;
  CHECK(std::isfinite(kl[0].item<float>()));
  CHECK(!std::isfinite(kl[1].item<float>()));
  CHECK(std::isfinite(kl[2].item<float>()));
}

TEST_CASE("side_by_side does each piece once, in the caller's autograd mode, and passes on failures") {
  for (const bool with_gradients : {false, true}) {
    const at::AutoGradMode mode(with_gradients);
    std::array<std::atomic<int>, 37> calls{};
    std::mutex mutex;
    std::set<std::thread::id> threads;
    std::atomic<int> differently = 0;
    side_by_side(at::kCPU, 37, 0, [&](std::int64_t i) {
      ++calls[static_cast<std::size_t>(i)];
      if (at::GradMode::is_enabled() != with_gradients) ++differently;
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
      // No thread must take all of the work before the others are awake.
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    // With more threads than pieces of work the pieces are done one after the other.
    const bool side = at::get_num_threads() > 1 && at::get_num_threads() <= 37;
    CHECK(side == (threads.size() > 1));
    for (const auto& count : calls) CHECK(count == 1);
    CHECK(differently == 0);
  }
  CHECK_THROWS_AS(side_by_side(at::kCPU, 8, 0,
                               [](std::int64_t i) {
                                 if (i == 5) throw Error("no");
                               }),
                  Error);
}
