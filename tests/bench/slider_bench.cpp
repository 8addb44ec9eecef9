// How long the policy page takes for one move of the slider, with drawing, against the frame time of a 60 Hz
// screen: 80 layers x 32 candidates x 3 grains. Plots are drawn at their clock's next tick, 30 times a
// second; that is the second number of each line.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <vector>

#include <QApplication>
#include <QSettings>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>

#include <qcustomplot.h>

#include "support/random_tables.h"
#include "ui/engine/serve_client.h"
#include "ui/example_run.h"
#include "ui/models/policy_editor.h"
#include "ui/workspace/settling_slider.h"
#include "ui/workspace/workspace_page.h"

using namespace ladimo;

namespace {

constexpr int layers = 80;
constexpr double frame_ms = 1000.0 / 60;

double ms_since(std::clock_t start) {
  return 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

double median(std::vector<double> times) {
  std::ranges::nth_element(times, times.begin() + std::ssize(times) / 2);
  return times[times.size() / 2];
}

/// One step along the slider and back.
void report(const char* what, ui::WorkspacePage& page) {
  auto& slider = *page.findChild<ui::SettlingSlider*>(QStringLiteral("tradeoff"));
  std::vector<double> moved, painted, drawn;
  for (int i = 0; i < 101; ++i) {
    auto start = std::clock();
    slider.setValue(300 + 4 * i);
    moved.push_back(ms_since(start));
    start = std::clock();
    QCoreApplication::sendPostedEvents();  // layouts, and what asked to be painted
    painted.push_back(ms_since(start));
    start = std::clock();
    for (QCustomPlot* plot : page.findChildren<QCustomPlot*>())
      if (plot->isVisible()) plot->replot();
    drawn.push_back(ms_since(start));
  }
  std::printf("%-24s moved %6.2f ms, painted %6.2f ms: %5.2f of a frame; all plots drawn %6.2f ms\n", what,
              median(moved), median(painted), (median(moved) + median(painted)) / frame_ms, median(drawn));
}

}  // namespace

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  const QTemporaryDir settings;
  QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, settings.path());
  QApplication application(argc, argv);
  auto run = std::make_shared<ui::RunData>(*testing::example_run({.layers = layers, .cuts = true}));
  run->policy.reset();
  run->tradeoff = testing::random_table({layers, 21, 10, testing::example_routed, 1e6}, 1);  // and dense
  testing::add_joint_points(*run->tradeoff);
  testing::add_cuts(*run->tradeoff, 1);
  testing::add_joint_cuts(*run->tradeoff);
  run->latency = testing::random_latency(testing::example_routed);
  ui::PolicyEditor editor(run);
  ui::ServeClient serve(ui::Engine(), run->folder);
  ui::WorkspacePage page(run, editor, serve);
  page.resize(1440, 860);
  page.show();
  QTest::qWait(200);
  std::printf("%d layers x 32 candidates x 3 grains, median of 101 moves\n", layers);
  auto& tabs = *page.findChild<QTabWidget*>(QStringLiteral("all_layers"));
  for (const auto& [tab, name] : {std::pair(0, "with all layers' weights"), {1, "with all layers' loads"}}) {
    tabs.setCurrentIndex(tab);
    QTest::qWait(100);
    report(name, page);
  }
  return editor.policy().predicted.kl > 0 ? 0 : 1;
}
