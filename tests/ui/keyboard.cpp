// Every control of the window can be reached by Tab and has a name for screen readers.
#include <set>

#include <doctest/doctest.h>

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAbstractSpinBox>
#include <QAccessible>
#include <QApplication>
#include <QButtonGroup>
#include <QComboBox>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QRadioButton>
#include <QSettings>
#include <QSlider>
#include <QTabWidget>

#include <qcustomplot.h>

#include "example_formats.h"
#include "example_run.h"
#include "stand_in_engine.h"
#include "support/window_walk.h"
#include "ui/mainwindow/main_window.h"
#include "ui/mainwindow/run_pages.h"
#include "ui/wizard/conversion_wizard.h"
#include "wizard_support.h"

using namespace ladimo;
using ladimo::testing::seen;
using ladimo::testing::StandInEngine;
using ui::RunPages;

namespace {

template <class... Kinds>
bool is_any(const QWidget* widget) {
  return (qobject_cast<const Kinds*>(widget) || ...);
}

/// Whether Tab must reach the widget. In a group of exclusive buttons it must reach the checked one; arrow
/// keys lead to the others.
bool is_control(const QWidget* widget) {
  if (!widget->isVisible() || !widget->isEnabled()) return false;
  if (is_any<QAbstractSpinBox, QComboBox>(widget->parentWidget())) return false;  // inner parts of a control
  const auto* button = qobject_cast<const QAbstractButton*>(widget);
  const bool one_of_many = button && (button->group() || qobject_cast<const QRadioButton*>(button));
  if (one_of_many && !button->isChecked()) return false;
  return is_any<QCustomPlot>(widget) ||
         (is_any<QAbstractButton, QSlider, QLineEdit, QComboBox, QAbstractSpinBox, QAbstractItemView,
                 QPlainTextEdit>(widget) &&
          widget->focusPolicy() != Qt::NoFocus);
}

std::string description(const QWidget* widget) {
  return (QString::fromLatin1(widget->metaObject()->className()) + ' ' + widget->objectName()).toStdString();
}

QString spoken_name(QWidget* widget) {
  const auto* spoken = QAccessible::queryAccessibleInterface(widget);
  return spoken ? spoken->text(QAccessible::Name) : QString();
}

/// All widgets that Tab reaches, from the focused one until it returns there.
std::set<const QWidget*> walk(QWidget& window) {
  constexpr int longest_way = 300;
  std::set<const QWidget*> reached;
  for (int i = 0; i < longest_way; ++i) {
    QTest::keyClick(QApplication::focusWidget() ? QApplication::focusWidget() : &window, Qt::Key_Tab);
    if (!reached.insert(QApplication::focusWidget()).second && i > longest_way / 2) break;
  }
  return reached;
}

void check_controls(QWidget& window) {
  QCoreApplication::processEvents();
  const auto reached = walk(window);
  CHECK_FALSE(reached.empty());
  for (QWidget* widget : window.findChildren<QWidget*>()) {
    if (!is_control(widget)) continue;
    const std::string what = description(widget);
    CHECK_MESSAGE(reached.contains(widget), what << " is not reached");
    CHECK_MESSAGE(!spoken_name(widget).isEmpty(), what << " has no name");
  }
}

struct Shown {
  Shown()
      : engine("case $1 in\nserve) exec sleep 60 ;;\nexport)\n" +
               StandInEngine::finding(testing::example_formats().dump()) + "\nexit ;;\nesac\n" +
               StandInEngine::finding(testing::example_show().dump())),
        window(engine.engine()) {
    QSettings().clear();
    window.resize(1300, 860);
    window.show();
    window.activateWindow();
    REQUIRE(QTest::qWaitForWindowActive(&window));
  }
  StandInEngine engine;
  ui::MainWindow window;
};

}  // namespace

TEST_CASE("the start page and every step of a run can be used by keyboard alone") {
  Shown shown;
  check_controls(shown.window);
  shown.window.open_run("/some/run");
  seen<QSlider>(shown.window, "tradeoff");
  auto& run = seen<RunPages>(shown.window, "run view");
  for (int step = RunPages::model; step <= RunPages::export_model; ++step) {
    CAPTURE(step);
    run.show_step(step);
    check_controls(shown.window);
  }
  run.show_step(RunPages::evaluate);
  seen<QTabWidget>(shown.window, "results").setCurrentIndex(1);
  check_controls(shown.window);
  seen<QTabWidget>(shown.window, "evaluation tabs").setCurrentIndex(1);
  check_controls(shown.window);
}

TEST_CASE("the wizard's pages can be used by keyboard alone") {
  const testing::WizardGround ground;
  const StandInEngine engine(StandInEngine::complaining("The plan cannot be made.", "Try again.", 2));
  ui::ConversionWizard wizard(engine.engine());
  wizard.resize(1200, 800);
  wizard.show();
  wizard.activateWindow();
  REQUIRE(QTest::qWaitForWindowActive(&wizard));
  check_controls(wizard);
  wizard.set_model(ground.model());
  testing::go_on(wizard);
  check_controls(wizard);
  seen<QRadioButton>(wizard, "text_own").click();
  testing::go_on(wizard);
  seen<QAbstractButton>(wizard, "advanced").click();
  check_controls(wizard);
  testing::go_on(wizard);
  check_controls(wizard);
}
