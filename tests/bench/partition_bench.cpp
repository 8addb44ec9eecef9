// Time to partition one layer: 14,336 neurons, 64 experts of which 16 shared, 4,096 tokens of 4,096 features.
// The lower limit that is printed beside it is the time that the matrix products alone would take at the rate
// of one large product on this machine.
#include <chrono>
#include <cstdio>
#include <functional>

#include <ATen/ATen.h>

#include "convert/partition.h"

using namespace ladimo;

namespace {

constexpr std::int64_t neurons = 14336, features = 4096, tokens = 4096;
constexpr int iterations = 12;  // at most so many iterations of k-means

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Multiply-adds per second of one large product.
double product_rate() {
  const auto a = at::randn({2048, 2048}), b = at::randn({2048, 2048});
  at::mm(a, b);
  return 8 * 2048.0 * 2048.0 * 2048.0 / seconds([&] {
           for (int i = 0; i < 8; ++i) at::mm(a, b);
         });
}

/// Inputs in a space of 64 dimensions, which makes groups of neurons run together.
at::Tensor inputs() { return at::mm(at::randn({tokens, 64}), at::randn({64, features})) / 8; }

}  // namespace

int main() {
  at::manual_seed(0);
  const at::NoGradGuard inference;
  DenseFfn ffn;
  ffn.gate = at::randn({neurons, features}) / 64;
  ffn.up = at::randn({neurons, features}) / 64;
  ffn.down = at::randn({features, neurons}) / 120;
  const LayerRows x(inputs(), at::zeros({tokens, features}), tokens);
  const Context context;
  HiddenStatistics statistics;
  statistics.square = ffn.hidden(x.x(0, tokens)).square().mean(0);
  statistics.down_norm = ffn.down.norm(2, 0);
  Recipe recipe;
  recipe.experts = 64;
  recipe.shared = 16;
  Partition partition;
  const double rate = product_rate();
  const double all = seconds(
      [&] { partition = partition_neurons(ffn, statistics, x, recipe, Random(0, "partition", 0), context); });
  const auto routed = static_cast<double>(neurons - partition.shared_neurons);
  const double marks = 2.0 * tokens * features * neurons / rate;
  const double distances = iterations * tokens * routed * recipe.routed() / rate;
  std::printf("%lld neurons into %d experts and %lld shared neurons\n", static_cast<long long>(neurons),
              recipe.routed(), static_cast<long long>(partition.shared_neurons));
  std::printf("partition                     %6.1f s\n", all);
  std::printf("hidden of the sampled tokens  %6.1f s at %.1f GFLOP/s\n", marks, 2e-9 * rate);
  std::printf("distances of k-means          %6.1f s\n", distances);
  std::printf("partition / its products      %6.2f\n", all / (marks + distances));
  return 0;
}
