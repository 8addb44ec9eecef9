// ladimo_screenshots ENGINE MODEL RUN FOLDER [--size WIDTHxHEIGHT] [--run-only] [--layers N]: a picture of
// every page and panel, light and dark. --run-only: of an opened run alone, without a conversion. --layers:
// of a fabricated run of so many layers, without an engine; MODEL and RUN are not read then.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <utility>

#include <QApplication>
#include <QComboBox>
#include <QCommandLineParser>
#include <QDir>
#include <QLabel>
#include <QPlainTextEdit>
#include <QRadioButton>
#include <QSettings>
#include <QSlider>
#include <QTabWidget>
#include <QTableView>
#include <QTemporaryDir>

#include "support/screen.h"
#include "support/window_walk.h"
#include "ui/example_formats.h"
#include "ui/example_run.h"
#include "ui/mainwindow/card.h"
#include "ui/mainwindow/main_window.h"
#include "ui/mainwindow/run_comparison_window.h"
#include "ui/mainwindow/run_pages.h"
#include "ui/mainwindow/settings_dialog.h"
#include "ui/palettes.h"
#include "ui/panels/export_panel.h"
#include "ui/plots/loss_plot.h"
#include "ui/settings/settings.h"
#include "ui/stand_in_engine.h"
#include "ui/wizard/conversion_wizard.h"

using namespace ladimo;
using namespace ladimo::testing;
using ui::RunPages;

namespace {

constexpr int long_ms = 300000;
constexpr int conversion_ms = 1800000;
constexpr int settle_ms = 400;  // plots are drawn at their clock's next tick

template <class Done>
void wait_until(Done done) {
  if (!QTest::qWaitFor(done, long_ms)) throw std::runtime_error("the engine takes longer than five minutes");
}

class Album {
 public:
  Album(QString folder, QString tint, QSize window)
      : folder_(std::move(folder)), tint_(std::move(tint)), window_(window) {}
  void keep(QWidget& widget, const QString& name) const {
    if (qobject_cast<ui::MainWindow*>(&widget)) widget.resize(window_);
    QTest::qWait(settle_ms);
    const QString path = folder_ + '/' + name + '-' + tint_ + ".png";
    if (!widget.grab().save(path)) throw std::runtime_error("cannot be written: " + path.toStdString());
    std::printf("%s\n", qUtf8Printable(path));
  }

 private:
  QString folder_, tint_;
  QSize window_;
};

struct Demo {
  ui::Engine engine;
  QString model, run;  // the run is a copy: pages save policies and measurements in it
  QString work;        // an empty folder
};

void press(QWidget& window, const char* text) {
  for (auto* button : window.findChildren<QAbstractButton*>())
    if (button->isVisible() && button->text() == QString::fromUtf8(text)) return button->click();
  throw std::runtime_error(std::string("cannot be pressed: ") + text);
}

void show_tab(QWidget& window, const char* text) {
  for (auto* tabs : window.findChildren<QTabWidget*>())
    for (int i = 0; i < tabs->count(); ++i)
      if (tabs->isVisible() && tabs->tabText(i) == QString::fromUtf8(text)) return tabs->setCurrentIndex(i);
  throw std::runtime_error(std::string("there is no tab ") + text);
}

void copy_folder(const QString& from, const QString& to) {
  std::filesystem::copy(from.toStdString(), to.toStdString(), std::filesystem::copy_options::recursive);
}

/// Two files, each with every second line of the run's held-out text.
QString two_texts(const Demo& demo) {
  std::ifstream text((demo.run + "/text/held-out.jsonl").toStdString());
  const QString names[] = {demo.work + "/evening-stories.jsonl", demo.work + "/morning-stories.jsonl"};
  std::ofstream files[] = {std::ofstream(names[0].toStdString()), std::ofstream(names[1].toStdString())};
  std::size_t count = 0;
  for (std::string line; std::getline(text, line); ++count) files[count % 2] << line << '\n';
  return names[0] + "; " + names[1];
}

void begin(const Demo& demo, const Album& album) {
  QSettings().clear();
  ui::MainWindow window(demo.engine);
  window.show();
  album.keep(window, "start-first");
  remember_recent(ui::keys::recent_runs, "/data/runs/tiny-stories", {});
  remember_recent(ui::keys::recent_runs, "/data/runs/llama-2-7b self text", {});
  remember_recent(ui::keys::recent_models, "/data/models/llama-2-7b", {});
  window.show_start();
  album.keep(window, "start-recent");
  window.open("/nowhere");
  album.keep(window, "start-message");
  window.open_run(demo.run);
  album.keep(window, "run-loading");
  window.open_run("/nowhere");
  QTest::qWait(3000);
  album.keep(window, "run-failed");
  ui::SettingsDialog settings;
  settings.show();
  settings.findChildren<QRadioButton*>()[1]->click();
  album.keep(settings, "settings");
}

void compare_policies(QWidget& window, RunPages& run, const Album& album) {
  const std::pair<const char*, Qt::Key> policies[] = {{"cheapest", Qt::Key_End}, {"cheap", Qt::Key_PageDown}};
  for (const auto& [name, key] : policies) {
    run.show_step(RunPages::policy);
    QTest::keyClick(&seen<QSlider>(window, "tradeoff"), key);
    run.show_step(RunPages::export_model);
    type(window, "policy_name", name);
    click(seen<QAbstractButton>(window, "save_policy"));
  }
  seen<QTableView>(window, "policies").selectAll();
  album.keep(window, "export-compared");
}

/// The tabs of the page Policy, and the pages about how the run was made.
void walk_pages(QWidget& window, RunPages& run, const Album& album) {
  album.keep(window, "workspace");
  for (const char* tab : {"All layers", "Co-activation", "Loads"}) {
    show_tab(window, tab);
    album.keep(window, QStringLiteral("workspace-") + QString(tab).toLower().replace(' ', '-'));
  }
  const QStringList names = {"model", "text", "experts", "distil"};
  for (int step = 0; step < names.size(); ++step) {
    run.show_step(step);
    album.keep(window, "step-" + names[step]);
  }
  run.show_step(RunPages::policy);
}

void compare_runs(RunPages& run, const QString& other, const Album& album) {
  run.compare_with(other);
  auto& window = seen<ui::RunComparisonWindow>(run, "run_comparison");
  seen<QTableView>(window, "compared_facts");
  album.keep(window, "two-runs");
}

/// A fabricated run: its model and engine do not exist.
void walk_example(int layers, const Album& album) {
  const ExampleShape shape{.layers = layers, .dense_ms = 0.1, .cuts = true};
  const QTemporaryDir work;
  const QString folder = work.filePath(QStringLiteral("of-many-layers"));
  write_run(folder.toStdString(), shape);
  const StandInEngine engine("case $1 in\nserve) echo '{\"event\":\"ready\"}'; exec sleep 600 ;;\nexport)\n" +
                             StandInEngine::finding(example_formats().dump()) + "\nexit ;;\nesac\n" +
                             StandInEngine::finding(example_show(shape).dump()));
  ui::MainWindow window(engine.engine());
  window.show();
  window.open_run(folder);
  auto& run = seen<RunPages>(window, "run view");
  seen<QSlider>(window, "tradeoff");
  walk_pages(window, run, album);
  run.show_step(RunPages::evaluate);
  album.keep(window, "evaluation");
  run.show_step(RunPages::export_model);
  auto& formats = seen<QTableView>(window, "formats");
  wait_until([&] { return formats.model()->rowCount() > 0; });
  album.keep(window, "export");
  compare_policies(window, run, album);
  compare_runs(run, QStringLiteral("/runs/another"), album);
}

void walk_run(const Demo& demo, const Album& album) {
  ui::MainWindow window(demo.engine);
  window.show();
  window.open_run(demo.run);
  auto& slider = seen<QSlider>(window, "tradeoff");
  auto& run = seen<RunPages>(window, "run view");
  seen<QTableView>(window, "layer_table").selectRow(1);  // with experts
  walk_pages(window, run, album);
  slider.setFocus();
  for (int i = 0; i < 3; ++i) QTest::keyClick(&slider, Qt::Key_PageUp);
  click(seen<QAbstractButton>(window, "measure"));
  album.keep(window, "workspace-measuring");
  wait_until([&] { return !run.busy(); });
  album.keep(window, "workspace-measured");
  run.show_step(RunPages::evaluate);
  album.keep(window, "evaluation");
  type(window, "files", two_texts(demo));
  choose(window, "tokens", 4000);
  click(seen<QAbstractButton>(window, "measure"));
  wait_until([&] { return !run.busy(); });
  album.keep(window, "evaluation-texts");
  seen<QTabWidget>(window, "evaluation tabs").setCurrentIndex(1);
  album.keep(window, "generation-empty");
  seen<QPlainTextEdit>(window, "prompt").setPlainText("Once upon a time");
  click(seen<QAbstractButton>(window, "generate"));
  wait_until([&] { return !run.busy(); });
  album.keep(window, "generation");
  run.show_step(RunPages::export_model);
  auto& formats = seen<QTableView>(window, "formats");
  wait_until([&] { return formats.model()->rowCount() > 0; });
  album.keep(window, "export");
  formats.selectRow(formats.model()->rowCount() - 1);
  album.keep(window, "export-format");
  formats.selectRow(0);
  compare_policies(window, run, album);
  compare_runs(run, demo.work + "/other-run", album);
  seen<ui::ExportPanel>(window, "export_panel").write_model(demo.work + "/exported");
  wait_until([&] { return !run.busy(); });
  album.keep(window, "export-written");
  window.open(demo.work + "/exported");
  album.keep(window, "model-card");
}

/// An interrupted run: it is opened, continued, and fails on a full disk.
void walk_unfinished(const Demo& demo, const Album& album) {
  const QString unfinished = demo.work + "/unfinished";
  copy_folder(demo.run, unfinished);
  for (const char* file :
       {"profile.json", "tradeoff.json", "latency.json", "policy.json", "finish.json", "layers/003.json"})
    QFile::remove(unfinished + '/' + file);
  qputenv("LADIMO_DISK_FULL_AFTER_BYTES", "20000");
  ui::MainWindow window(demo.engine);
  window.show();
  window.open_run(unfinished);
  wait_until([&] { return seen<RunPages>(window, "run view").is_open(); });
  album.keep(window, "run-unfinished");
  press(window, "Continue the conversion…");
  auto& go_on = seen<QAbstractButton>(window, "pause");
  wait_until([&] { return go_on.isEnabled(); });
  album.keep(window, "wizard-resume");
  if (go_on.text() == "&Continue") go_on.click();
  wait_until([&] { return go_on.text() == "&Try again"; });
  album.keep(window, "wizard-failed");
  qunsetenv("LADIMO_DISK_FULL_AFTER_BYTES");
}

void walk_wizard(const Demo& demo, const Album& album) {
  ui::MainWindow window(demo.engine);
  window.show();
  window.new_conversion();
  auto& wizard = seen<ui::ConversionWizard>(window, "conversion_wizard");
  album.keep(window, "wizard-model-empty");
  wizard.set_model(demo.model);
  wait_until([&] { return wizard.button(QWizard::NextButton)->isEnabled(); });
  album.keep(window, "wizard-model");
  go_on(wizard);
  album.keep(window, "wizard-text-empty");
  enter(window, "text_path", demo.run + "/text/calibration.jsonl");
  click(seen<QAbstractButton>(window, "text_fewer"));
  wait_until([&] { return wizard.button(QWizard::NextButton)->isEnabled(); });
  album.keep(window, "wizard-text");
  choose(window, "tokens", 20000);
  choose(window, "held_out", 4096);
  wait_until([&] { return wizard.button(QWizard::NextButton)->isEnabled(); });
  go_on(wizard);
  QTest::qWait(5000);  // time to draw the partition
  album.keep(window, "wizard-experts");
  click(seen<QAbstractButton>(window, "advanced"));
  album.keep(window, "wizard-experts-advanced");
  go_on(wizard);
  type(window, "run_folder", demo.work + "/run");
  wait_until([&] { return wizard.button(QWizard::NextButton)->isEnabled(); });
  album.keep(window, "wizard-summary");
  go_on(wizard);
  wait_until([&] {
    return std::ranges::any_of(window.findChildren<ui::LossPlot*>(),
                               [](const auto* plot) { return plot->isVisible() && !plot->empty(); });
  });
  QTest::qWait(3000);
  album.keep(window, "wizard-distillation");
  show_tab(window, "Expert load");
  album.keep(window, "wizard-load");
  show_tab(window, "Routing weights");
  auto& pause = seen<QAbstractButton>(window, "pause");
  pause.click();
  wait_until([&] { return pause.text() == "&Continue"; });
  album.keep(window, "wizard-paused");
  pause.click();
  QTest::qWait(3000);
  window.close();
  album.keep(window, "wizard-closing");
  press(window, "Keep it running");
  wizard.reject();
  album.keep(window, "wizard-stopping");
  press(window, "Keep converting");
  if (!QTest::qWaitFor([&] { return wizard.button(QWizard::FinishButton)->isEnabled(); }, conversion_ms))
    throw std::runtime_error("the conversion does not end");
  album.keep(window, "wizard-finished");
}

}  // namespace

int main(int argc, char** argv) try {
  const QTemporaryDir settings;
  choose_screen(settings, QStringLiteral("1600x1000"));  // a window is fitted to its screen
  QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, settings.path());
  QCoreApplication::setOrganizationName(QStringLiteral("ladimo"));
  QCoreApplication::setApplicationName(QStringLiteral("ladimo-studio"));
  QApplication application(argc, argv);
  QApplication::setStyle(QStringLiteral("Fusion"));
  QCommandLineParser line;
  line.addOptions({{"size", {}, "WIDTHxHEIGHT", "1440x860"}, {"run-only", {}}, {"layers", {}, "N", "0"}});
  line.process(application);
  const QStringList arguments = line.positionalArguments(), size = line.value("size").split('x');
  if (arguments.size() != 4 || size.size() != 2) {
    std::fputs("ladimo_screenshots ENGINE MODEL RUN FOLDER [--size WxH] [--run-only] [--layers N]\n", stderr);
    return 2;
  }
  QDir().mkpath(arguments[3]);
  for (const bool dark : {false, true}) {
    QApplication::setPalette(dark ? dark_palette() : light_palette());
    const Album album(arguments[3], dark ? "dark" : "light", {size[0].toInt(), size[1].toInt()});
    if (const int layers = line.value("layers").toInt(); layers > 0) {
      walk_example(layers, album);
      continue;
    }
    const QTemporaryDir work;
    const Demo demo{{arguments[0], {}}, arguments[1], work.path() + "/demo-run", work.path()};
    copy_folder(arguments[2], demo.run);
    copy_folder(arguments[2], demo.work + "/other-run");
    if (!line.isSet("run-only")) begin(demo, album);
    walk_run(demo, album);
    if (line.isSet("run-only")) continue;
    walk_unfinished(demo, album);
    walk_wizard(demo, album);
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "ladimo_screenshots: %s\n", error.what());
  return 1;
}
