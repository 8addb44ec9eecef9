// The window on its screen: where it starts and what a restore makes of it, and whether every page can be
// used in the smallest window. ctest runs this on several screens (CMakeLists.txt).
#include <doctest/doctest.h>

#include <QComboBox>
#include <QDialog>
#include <QLabel>
#include <QLineEdit>
#include <QMenuBar>
#include <QPushButton>
#include <QRadioButton>
#include <QScreen>
#include <QScrollArea>
#include <QScrollBar>
#include <QSettings>
#include <QSlider>
#include <QTabWidget>
#include <QToolButton>
#include <QWheelEvent>

#include "example_formats.h"
#include "example_run.h"
#include "opened_run.h"
#include "palettes.h"
#include "ui/mainwindow/main_window.h"
#include "ui/mainwindow/run_pages.h"
#include "ui/mainwindow/window_place.h"
#include "ui/mainwindow/words.h"
#include "ui/models/run_history.h"
#include "ui/settings/settings.h"
#include "ui/widgets/message_bar.h"
#include "ui/wizard/conversion_wizard.h"
#include "wizard_support.h"

using namespace ladimo;
using ladimo::testing::keep_picture;
using ladimo::testing::StandInEngine;
using ladimo::testing::wait_until;
using ui::MainWindow;
using ui::RunPages;

namespace {

constexpr QSize smallest(960, 600);

const std::string plan =
    R"({"resumes":false,"steps":[{"name":"layers","description":"The FFNs of 3 layers become experts.","seconds":30,"done":false}],)"
    R"("tokens":1024,"windows":16,"ram_bytes":500000000,"disk_bytes":2000000,"seconds":47.5,"partition":null,)"
    R"("problems":[],"recipe":{"experts":16,"shared":4,"layers":[0,1,2]}})";

/// Shows the example's run, plans, and converts or serves without an end.
std::string script() {
  return "case $1 in\nserve) echo '{\"event\":\"ready\"}'; exec sleep 60 ;;\nplan)\n" +
         StandInEngine::finding(plan) + "\nexit ;;\nconvert) exec sleep 60 ;;\nexport)\n" +
         StandInEngine::finding(testing::example_formats().dump()) + "\nexit ;;\nesac\n" +
         StandInEngine::finding(testing::example_show({.cuts = true}).dump());
}

QRect available() { return QGuiApplication::primaryScreen()->availableGeometry(); }

/// Waits until the window has taken its place.
void settle() { QTest::qWait(500); }

bool on_screen(const QWidget& window) { return available().contains(window.frameGeometry()); }

std::string text_of(const QRect& rect) {
  return std::to_string(rect.x()) + "," + std::to_string(rect.y()) + " " + std::to_string(rect.width()) +
         "x" + std::to_string(rect.height());
}

/// The geometry that a window would have saved on another screen.
QByteArray geometry_saved_at(const QRect& place, bool maximized = false) {
  QByteArray bytes;
  QDataStream stream(&bytes, QIODevice::WriteOnly);
  stream.setVersion(QDataStream::Qt_4_0);
  const QRect frame = place.adjusted(0, -20, 0, 0);
  stream << quint32(0x1D9D0CB) << quint16(3) << quint16(0) << frame << place << qint32(1) << quint8(maximized)
         << quint8(false) << qint32(3840) << place;
  return bytes;
}

/// Scrolls until the whole widget can be seen, and tells whether that is so.
bool reachable(QWidget& widget) {
  for (QWidget* at = widget.parentWidget(); at; at = at->parentWidget()) {
    auto* area = qobject_cast<QScrollArea*>(at);
    if (!area) continue;
    const QPoint middle = widget.mapTo(area->widget(), widget.rect().center());
    area->ensureVisible(middle.x(), middle.y(), widget.width() / 2 + 1, widget.height() / 2 + 1);
  }
  QApplication::processEvents();
  return widget.isVisible() && widget.visibleRegion().boundingRect() == widget.rect();
}

void check_reachable(const QWidget& page, std::initializer_list<const char*> names) {
  for (const std::string name : names) {
    CAPTURE(name);
    QWidget* found = nullptr;
    for (auto* candidate : page.findChildren<QWidget*>(QString::fromStdString(name)))
      if (candidate->isVisible()) found = candidate;
    REQUIRE(found);
    const bool seen = reachable(*found);
    CAPTURE(text_of(found->visibleRegion().boundingRect()));
    CAPTURE(text_of(found->rect()));
    CHECK(seen);
  }
}

/// The bar of the innermost page around the widget that has to scroll.
QScrollBar& scroll_bar_above(const QWidget& widget) {
  for (QWidget* at = widget.parentWidget(); at; at = at->parentWidget())
    if (auto* area = qobject_cast<QScrollArea*>(at); area && area->verticalScrollBar()->maximum() > 0)
      return *area->verticalScrollBar();
  throw std::runtime_error("no page scrolls");
}

/// Qt passes only events of the window system on to the widgets around, so this does it.
void turn_wheel(QWidget& under) {
  for (QWidget* at = &under; at; at = at->parentWidget()) {
    const QPointF middle = at->rect().center();
    QWheelEvent event(middle, at->mapToGlobal(middle), {}, {0, -120}, Qt::NoButton, Qt::NoModifier,
                      Qt::NoScrollPhase, false);
    QApplication::sendEvent(at, &event);
    if (event.isAccepted() || at->testAttribute(Qt::WA_NoMousePropagation)) return;
  }
}

/// Every scroll area that has to scroll.
QStringList scrolled(const QWidget& page) {
  QStringList found;
  for (const auto* area : page.findChildren<QScrollArea*>())
    if (area->isVisible() && area->horizontalScrollBar()->maximum() > 0)
      found << area->objectName() + " across";
  return found;
}

struct SmallWindow {
  SmallWindow() : engine(script()), window(engine.engine()) {
    QSettings().clear();
    window.show();
    shrink();
  }
  void shrink() {
    window.resize(1, 1);
    QApplication::processEvents();
    CHECK(window.size() == window.minimumSize());
    CHECK(window.width() <= smallest.width());
    CHECK(window.height() <= smallest.height());
  }
  RunPages& open_run() {
    window.open_run("/some/run");
    REQUIRE(wait_until([&] { return window.findChild<QSlider*>("tradeoff") != nullptr; }));
    return *window.findChild<RunPages*>();
  }
  /// The page as it is shown, in the smallest window. It never scrolls sideways, and where the screen is high
  /// enough the page fits without scrolling, unless it `may_scroll`.
  void check(const std::string& name, std::initializer_list<const char*> controls, bool may_scroll = false) {
    CAPTURE(name);
    shrink();
    settle();
    CHECK(on_screen(window));
    CHECK(scrolled(window).join(", ").toStdString() == "");
    if (!may_scroll && window.size() == smallest)
      for (const auto* area : window.findChildren<QScrollArea*>())
        if (area->isVisible()) CHECK(area->verticalScrollBar()->maximum() == 0);
    keep_picture(window, QStringLiteral("small-") + QString::fromStdString(name));
    check_reachable(window, controls);
  }

  StandInEngine engine;
  MainWindow window;
};

}  // namespace

TEST_CASE("the screen is the one that the test asks for") {
  const QString asked = qEnvironmentVariable("LADIMO_TEST_SCREEN").section('@', 0, 0);
  if (asked.isEmpty()) return;
  const QScreen& screen = *QGuiApplication::primaryScreen();
  const QSizeF device = QSizeF(screen.geometry().size()) * screen.devicePixelRatio();
  CHECK(QStringLiteral("%1x%2").arg(device.width()).arg(device.height()) == asked);
}

TEST_CASE("a frame is moved and made smaller until it lies within the screen") {
  const QRect screen(100, 50, 1000, 600);
  const std::pair<QRect, QRect> rows[] = {
      {{200, 100, 300, 200}, {200, 100, 300, 200}},   // within
      {{0, 0, 300, 200}, {100, 50, 300, 200}},        // above and left
      {{1000, 600, 300, 200}, {800, 450, 300, 200}},  // below and right
      {{0, 0, 3000, 2000}, screen},                   // larger
      {{500, 0, 800, 2000}, {300, 50, 800, 600}},     // higher, and to the right
      {{5000, -900, 300, 200}, {800, 50, 300, 200}}   // on a screen that is gone
  };
  for (const auto& [frame, expected] : rows) CHECK(ui::fitted(frame, screen) == expected);
}

TEST_CASE("at its first start the window lies within the screen") {
  QSettings().clear();
  MainWindow window(ui::Engine{"/nonexistent/ladimo", {}});
  window.show();
  settle();
  CAPTURE(text_of(window.frameGeometry()));
  CHECK(on_screen(window));
  CHECK(window.width() >= std::min(smallest.width(), available().width() - 50));
}

TEST_CASE("a restored window lies within the screen, whatever was saved") {
  const std::pair<const char*, QByteArray> rows[] = {
      {"larger than the screen", geometry_saved_at({0, 20, 2600, 1500})},
      {"on a screen that is gone", geometry_saved_at({5000, 2000, 1100, 700})},
      {"on a screen to the left that is gone", geometry_saved_at({-3000, -900, 1100, 700})},
      {"maximized on a larger screen", geometry_saved_at({2000, 20, 2600, 1500}, true)},
      {"damaged", QByteArray("no geometry")}};
  for (const auto& [name, geometry] : rows) {
    CAPTURE(name);
    remember(ui::keys::window_geometry, geometry);
    MainWindow window(ui::Engine{"/nonexistent/ladimo", {}});
    window.show();
    settle();
    window.showNormal();
    settle();
    CAPTURE(text_of(window.frameGeometry()));
    CHECK(on_screen(window));
  }
  QSettings().clear();
}

TEST_CASE("the window opens where it was closed") {
  QSettings().clear();
  QSize size = available().size() * 0.97;
  {
    MainWindow window(ui::Engine{"/nonexistent/ladimo", {}});
    window.show();
    settle();
    window.resize(size);
    settle();
    size = window.size();  // the screen may be too small for this one
    window.close();
  }
  MainWindow window(ui::Engine{"/nonexistent/ladimo", {}});
  window.show();
  settle();
  CHECK(window.width() == size.width());
  CHECK(on_screen(window));
  QSettings().clear();
}

TEST_CASE("the help dialog lies within the screen") {
  QWidget parent;
  QDialog* dialog = ui::make_words_dialog(&parent);
  dialog->show();
  settle();
  CHECK(on_screen(*dialog));
}

TEST_CASE("the start page can be used in the smallest window") {
  SmallWindow small;
  remember_recent(ui::keys::recent_runs, "/data/runs/tiny-stories", {});
  small.window.show_start();
  small.check("start", {"new conversion", "open run", "open model"}, true);
}

TEST_CASE("every step of a run can be used in the smallest window") {
  SmallWindow small;
  RunPages& run = small.open_run();
  small.check("policy", {"tradeoff", "measure", "cost", "reset_pins", "layer_search", "frontier_plot"});
  const char* names[] = {"model", "text", "experts", "distil"};
  for (int step = RunPages::model; step <= RunPages::distil; ++step) {
    run.show_step(step);
    small.check(names[step], {"breadcrumb"});
  }
  run.show_step(RunPages::export_model);
  small.check("export",
              {"formats", "gguf_precision", "fit", "write_model", "policy_name", "save_policy",
               "save_as_run_policy", "export_policy"},
              true);
  run.show_step(RunPages::evaluate);
  small.check("evaluation-empty", {"measure", "policy", "tokens", "files"});
  Measurement measurement = testing::example_measurement(testing::example_policy(), 0.0213);
  measurement.numbers.perplexity = 21.6;
  ui::RunHistory::of(*small.window.findChild<ui::PolicyEditor*>()).add(measurement);
  small.check("evaluation", {"measure", "policy", "tokens", "files", "tasks", "history"});
  for (const char* task : {"arc_challenge", "arc_easy", "openbook_qa", "piqa"})
    measurement.tasks.push_back(testing::example_task(task, 21, 17));
  ui::RunHistory::of(*small.window.findChild<ui::PolicyEditor*>()).add(measurement);
  small.window.findChild<QTabWidget*>("results")->setCurrentIndex(1);
  small.check("evaluation-tasks",
              {"measure", "no_text", "tasks", "task_sentences", "task_scores", "history"});
  run.show_texts();
  small.check("generation", {"prompt", "generate"});
}

TEST_CASE("the wheel scrolls the page over plots and controls, and changes only the control in use") {
  SmallWindow small;
  small.open_run();
  settle();
  small.window.setMinimumSize(0, 0);
  small.window.resize(small.window.width(), 400);  // so that the page must scroll
  settle();
  auto& slider = *small.window.findChild<QSlider*>("tradeoff");
  auto& cost = *small.window.findChild<QComboBox*>("cost");
  auto& plot = *small.window.findChild<QWidget*>("routing_canvas");
  const int value = slider.value(), index = cost.currentIndex();
  for (QWidget* under : {static_cast<QWidget*>(&slider), static_cast<QWidget*>(&cost), &plot}) {
    CAPTURE(under->objectName().toStdString());
    QScrollBar& bar = scroll_bar_above(*under);
    bar.setValue(0);
    small.window.setFocus();
    turn_wheel(*under);
    CHECK(bar.value() > 0);
  }
  CHECK(slider.value() == value);
  CHECK(cost.currentIndex() == index);
  slider.setFocus();
  if (!slider.hasFocus()) return;  // without a window manager no window is active
  turn_wheel(slider);
  CHECK(slider.value() != value);
}

TEST_CASE("a question takes nothing out of reach in the smallest window") {
  SmallWindow small;
  RunPages& run = small.open_run();
  QTest::keyClick(small.window.findChild<QSlider*>("tradeoff"), Qt::Key_Home);
  small.window.findChild<QPushButton*>("measure")->click();
  small.window.close();
  small.check("question", {"tradeoff", "measure", "cost", "message bar"}, true);
  run.show_step(RunPages::evaluate);
  small.check("question-evaluation", {"measure", "tokens", "message bar"}, true);
}

TEST_CASE("every page of the wizard can be used in the smallest window") {
  const testing::WizardGround ground;
  SmallWindow small;
  small.window.new_conversion(ground.model());
  auto& wizard = *small.window.findChild<ui::ConversionWizard*>();
  auto& next = *wizard.button(QWizard::NextButton);
  next.setObjectName("next");
  wizard.button(QWizard::CancelButton)->setObjectName("cancel");
  const auto go_on = [&] {
    REQUIRE(wait_until([&] { return next.isEnabled(); }));
    next.click();
  };
  small.check("wizard-model", {"next", "cancel", "model_folder"});
  go_on();
  wizard.findChild<QRadioButton*>("text_own")->click();
  small.check("wizard-text", {"next", "cancel", "text_own"});
  go_on();
  small.check("wizard-experts", {"next", "cancel", "experts", "advanced"}, true);
  wizard.findChild<QToolButton*>("advanced")->click();
  small.check("wizard-experts-advanced", {"next", "cancel", "experts", "seed", "sensitivity"}, true);
  go_on();
  auto& folder = *wizard.findChild<QLineEdit*>("run_folder");
  folder.setText(ground.text("run"));
  emit folder.textEdited(folder.text());
  REQUIRE(wait_until([&] { return next.isEnabled(); }));
  small.check("wizard-summary", {"next", "cancel", "run_folder"});
  go_on();
  small.check("wizard-distillation", {"cancel", "pause"});
  small.window.close();
  small.check("wizard-question", {"cancel", "pause", "message bar"}, true);
}

TEST_CASE("the smallest window can be drawn in the dark") {
  QApplication::setPalette(testing::dark_palette());
  SmallWindow small;
  RunPages& run = small.open_run();
  small.check("policy-dark", {"tradeoff"});
  run.show_step(RunPages::evaluate);
  small.check("evaluation-dark", {"measure"});
  QApplication::setPalette(QPalette());
}
