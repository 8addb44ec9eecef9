// How long from the start of the program to a usable window, and from "open" to a run that can be worked
// with. Both include the drawing; the engine's own part is a file that is printed.
#include <cstdio>
#include <fstream>

#include <QApplication>
#include <QElapsedTimer>
#include <QSettings>
#include <QSignalSpy>
#include <QSlider>
#include <QTemporaryDir>
#include <QTest>

#include "ui/example_run.h"
#include "ui/mainwindow/main_window.h"
#include "ui/stand_in_engine.h"

using namespace ladimo;

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

  constexpr int layers = 32;
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "show.json")
      << R"({"event":"result",)" << testing::example_show({.layers = layers}).dump().substr(1) << '\n';
  const testing::StandInEngine engine("cat " + (folder / "show.json").string());
  ui::MainWindow window(engine.engine());
  window.show();
  QCoreApplication::processEvents();
  clock.restart();
  window.open_run("/some/run");
  while (!window.findChild<QSlider*>("tradeoff"))
    QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
  window.grab();
  std::printf("a run of %d layers opened: %lld ms\n", layers, clock.elapsed());
}
