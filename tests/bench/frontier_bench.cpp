// How long it takes to build the frontier, to solve for a slider position, and to list the points of the
// plot: 128 layers x 32 candidates.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "policy/frontier.h"
#include "support/random_tables.h"

using namespace ladimo;

namespace {

template <class Work>
double median_ms(Work work) {
  std::vector<double> times;
  for (int i = 0; i < 51; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::ranges::nth_element(times, times.begin() + 25);
  return times[25];
}

}  // namespace

int main() {
  auto table = testing::random_table({128, 21, 10, 48, 1e6}, 1);  // 31 candidates and dense
  testing::add_joint_points(table);
  const auto latency = testing::random_latency(48);
  const Frontier frontier(table, &latency, Cost::activated);
  double kl = 0;  // returned, so that no work is optimised away
  const double build = median_ms([&] { Frontier(table, &latency, Cost::activated); });
  const double move = median_ms([&] { kl += frontier.at_tradeoff(0.4).predicted.kl; });
  const double both =
      median_ms([&] { kl += Frontier(table, &latency, Cost::decode_ms).at_tradeoff(0.4).predicted.kl; });
  const double points = median_ms([&] { kl += frontier.points().front().kl; });
  std::printf("128 layers x 32 candidates, median of 51\n");
  std::printf("frontier built            %7.3f ms\n", build);
  std::printf("slider moved              %7.3f ms\n", move);
  std::printf("built and moved, decode   %7.3f ms\n", both);
  std::printf("200 points for the plot   %7.3f ms\n", points);
  return kl > 0 ? 0 : 1;
}
