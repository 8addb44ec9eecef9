// How long it takes from the start of the program to a usable window, and from "open" to a run that can be
// worked with. The run is read once by the real engine and once from a file that a script prints, which
// leaves the window's own part. All times include drawing.
#include <cstdio>
#include <fstream>

#include <QApplication>
#include <QElapsedTimer>
#include <QSettings>
#include <QSlider>
#include <QTemporaryDir>

#include "base/files.h"
#include "ui/example_run.h"
#include "ui/mainwindow/main_window.h"
#include "ui/stand_in_engine.h"

using namespace ladimo;
using nlohmann::json;

namespace {

constexpr int layers = 32;

/// Writes the run's folder as a conversion leaves it, but without the weights, which are not needed to show
/// it.
void write_run(const RunFolder& run, const json& show) {
  std::filesystem::create_directories(run.path());
  write_json(run.recipe_file(), show["recipe"]);
  write_json(run.profile_file(), show["profile"]);
  write_json(run.tradeoff_file(), show["tradeoff"]);
  write_json(run.latency_file(), show["latency"]);
  write_json(run.policy_file(), show["policy"]);
  for (const json& layer : show["layers"])
    run.layers().put(layer_record_from_json(layer), [](const auto& file) { write_file(file, "weights"); });
}

void open(const ui::Engine& engine, const std::filesystem::path& run, const char* how) {
  ui::MainWindow window(engine);
  window.show();
  QCoreApplication::processEvents();
  QElapsedTimer clock;
  clock.start();
  window.open_run(QString::fromStdString(run.string()));
  while (!window.findChild<QSlider*>("tradeoff"))
    QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
  window.grab();
  std::printf("a run of %d layers opened, %s: %lld ms\n", layers, how, clock.elapsed());
}

}  // namespace

int main(int argc, char** argv) {
  QElapsedTimer clock;
  clock.start();
  const QTemporaryDir settings;
  QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, settings.path());
  QApplication application(argc, argv);
  ui::MainWindow first;
  first.show();
  first.grab();
  QCoreApplication::processEvents();
  std::printf("start to a usable window: %lld ms\n", clock.elapsed());

  const testing::TemporaryFolder folder;
  const json show = testing::example_show({.layers = layers});
  std::ofstream(folder / "show.json") << R"({"event":"result",)" << show.dump().substr(1) << '\n';
  const testing::StandInEngine engine("cat " + (folder / "show.json").string());
  write_run(RunFolder(folder / "run"), show);
  open({QStringLiteral(LADIMO_ENGINE), {}}, folder / "run", "read by the engine");
  open(engine.engine(), "/some/run", "from a file");
}
