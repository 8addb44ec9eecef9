// How long the window's policy editor takes for one slider position and for one move of a dragged pin,
// against the frame time of a 60 Hz screen. The table has 128 layers x 32 candidates.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include <QCoreApplication>

#include "support/random_tables.h"
#include "ui/models/layer_model.h"
#include "ui/models/policy_editor.h"

using namespace ladimo;

namespace {

constexpr double frame_ms = 1000.0 / 60;

template <class Work>
void report(const char* what, Work work) {
  std::vector<double> times;
  for (int i = 0; i < 201; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work(i);
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::ranges::sort(times);
  const double median = times[times.size() / 2], worst = times[times.size() * 99 / 100];
  std::printf("%-26s %7.3f ms (99 %%: %7.3f ms), %5.2f of a frame\n", what, median, worst, median / frame_ms);
}

}  // namespace

int main(int argc, char** argv) {
  const QCoreApplication application(argc, argv);
  auto run = std::make_shared<ui::RunData>();
  run->tradeoff = testing::random_table({128, 21, 10, 48, 1e6}, 1);  // 31 candidates and dense
  testing::add_joint_points(*run->tradeoff);
  run->latency = testing::random_latency(48);
  ui::PolicyEditor editor(run);
  const ui::LayerModel table(editor);
  std::printf("128 layers x 32 candidates, median of 201, the layer table follows\n");
  report("slider moved", [&](int i) { editor.set_tradeoff(i / 200.0); });
  report("threshold dragged (a pin)", [&](int i) { editor.pin(64, LayerPolicy::above(0.002 + 1e-5 * i)); });
  report("frontier for the plot", [&](int) { editor.frontier().points(); });
  return editor.policy().predicted.kl > 0 ? 0 : 1;
}
