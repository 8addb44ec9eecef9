#include "ui/mainwindow/main_window.h"

#include <doctest/doctest.h>

#include <QApplication>
#include <QDir>
#include <QDropEvent>
#include <QLabel>
#include <QMimeData>
#include <QProgressBar>
#include <QPushButton>
#include <QSettings>
#include <QTableView>
#include <QTest>
#include <QUrl>

#include "example_run.h"
#include "palettes.h"
#include "stand_in_engine.h"
#include "ui/settings/settings.h"

using namespace ladimo;
using ladimo::testing::StandInEngine;
using ui::MainWindow;

namespace {

constexpr int patience_ms = 20000;

QString example_output() { return QString::fromStdString(testing::example_show().dump()); }

/// All words that can be seen, one after the other.
QString words(const QWidget& window) {
  QStringList seen;
  for (const auto* label : window.findChildren<QLabel*>())
    if (label->isVisible()) seen << label->text();
  return seen.join('\n');
}

bool wait_for(const QWidget& window, const char* text) {
  return QTest::qWaitFor([&] { return words(window).contains(text); }, patience_ms);
}

QTableView* table_of(const QWidget& window) { return window.findChild<QTableView*>(); }

void drop(QWidget& window, const QUrl& url) {
  QMimeData data;
  data.setUrls({url});
  QDragEnterEvent enter({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(&window, &enter);
  CHECK(enter.isAccepted());
  QDropEvent event({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(&window, &event);
}

}  // namespace

TEST_CASE("without a run the window says how to get one") {
  MainWindow window(ui::Engine{"/nonexistent/ladimo", {}});
  window.show();
  CHECK(words(window).contains("No run is open"));
  CHECK(words(window).contains("ladimo convert"));
}

TEST_CASE("a run is read and its layers are shown") {
  QSettings().clear();
  const StandInEngine engine(StandInEngine::finding(example_output().toStdString()));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("some/run");
  CHECK(words(window).contains("Reading run"));
  REQUIRE(wait_for(window, "tiny-stories"));
  CHECK(window.windowTitle().startsWith("run"));
  CHECK(table_of(window)->isVisible());
  CHECK(table_of(window)->model()->rowCount() == 6);
  CHECK(words(window).contains("64 experts a layer, 16 of them shared"));
  CHECK(words(window).contains("(predicted)"));
  CHECK(ui::recent(ui::keys::recent_runs, {}).first().endsWith("some/run"));

  CHECK(words(window).contains("Routing weights of layer 0"));
  CHECK(words(window).contains("stays dense"));
  table_of(window)->selectRow(1);
  CHECK(words(window).contains("At threshold 0.0250: 30.2 of 48 routed experts"));
  table_of(window)->sortByColumn(3, Qt::DescendingOrder);
  table_of(window)->selectRow(1);
  CHECK(words(window).contains("Routing weights of layer 2"));
}

TEST_CASE("a run that cannot be read is a sentence, not an accident") {
  const struct {
    std::string script;
    const char* sentence;
  } rows[] = {
      {"echo 'There is no run here.' >&2; exit 2", "There is no run here."},
      {"kill -KILL $$", "memory"},
      {"echo nonsense", "cannot be understood"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.sentence);
    const StandInEngine engine(row.script);
    MainWindow window(engine.engine());
    window.show();
    window.open_run("some/run");
    REQUIRE(wait_for(window, "run could not be opened"));
    CHECK(words(window).contains(row.sentence));
  }
}

TEST_CASE("reading can be stopped, and another run opened meanwhile") {
  const StandInEngine engine("exec sleep 60");
  MainWindow window(engine.engine());
  window.show();
  window.open_run("first");
  window.open_run("second");
  CHECK(words(window).contains("Reading second"));
  CHECK(window.findChild<QProgressBar*>()->isVisible());
  QTest::mouseClick(window.findChild<QPushButton*>(), Qt::LeftButton);
  REQUIRE(wait_for(window, "second was not opened"));
}

TEST_CASE("a folder dropped onto the window is opened, and a file's folder") {
  const StandInEngine engine("echo \"asked for $2\" >&2; exit 2");
  const QString folder = QString::fromStdString(engine.folder().path().string());
  MainWindow window(engine.engine());
  window.show();
  for (const QString& dropped : {folder, folder + "/ladimo"}) {
    drop(window, QUrl::fromLocalFile(dropped));
    REQUIRE(wait_for(window, "could not be opened"));
    CHECK(words(window).contains("asked for " + folder));
  }
}

// LADIMO_PICTURES=FOLDER keeps the pictures, to be looked at; QT_SCALE_FACTOR=2 makes them as on a dense
// screen.
TEST_CASE("every state can be drawn, light and dark") {
  const QString pictures = qEnvironmentVariable("LADIMO_PICTURES");
  if (!pictures.isEmpty()) QDir().mkpath(pictures);
  const auto keep = [&](QWidget& window, const QString& name) {
    const QImage image = window.grab().toImage();
    CHECK_FALSE(image.isNull());
    if (!pictures.isEmpty()) CHECK(image.save(pictures + '/' + name + ".png"));
    return image.pixelColor(3, image.height() / 2).lightness();
  };
  const StandInEngine good(StandInEngine::finding(example_output().toStdString()));
  const StandInEngine slow("exec sleep 60");
  const StandInEngine bad(
      R"(echo '{"problems": [{"message": "The folder is not a run: it holds no recipe.json.",
"hint": "Give the folder that ladimo convert was told to write.", "path": "some/run"}]}'; exit 2)");
  for (const bool dark : {false, true}) {
    QApplication::setPalette(dark ? testing::dark_palette() : testing::light_palette());
    const QString tint = dark ? "dark" : "light";
    MainWindow empty(ui::Engine{}), loading(slow.engine()), failed(bad.engine()), open(good.engine());
    for (MainWindow* window : {&empty, &loading, &failed, &open}) window->show();
    for (MainWindow* window : {&loading, &failed, &open}) window->open_run("some/run");
    REQUIRE(wait_for(failed, "could not be opened"));
    REQUIRE(wait_for(open, "tiny-stories"));
    CHECK((keep(empty, "empty-" + tint) < 128) == dark);
    CHECK((keep(loading, "loading-" + tint) < 128) == dark);
    CHECK((keep(failed, "failed-" + tint) < 128) == dark);
    table_of(open)->selectRow(3);
    CHECK((keep(open, "run-" + tint) < 128) == dark);
  }
  QApplication::setPalette(QPalette());
}
