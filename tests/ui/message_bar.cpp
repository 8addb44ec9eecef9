#include "ui/widgets/message_bar.h"

#include <doctest/doctest.h>

#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include "ui/engine/outcome.h"

using namespace ladimo::ui;

TEST_CASE("pressing a button hides the bar and is reported once") {
  MessageBar bar;
  QSignalSpy chosen(&bar, &MessageBar::chosen);
  CHECK_FALSE(bar.isVisible());
  bar.show_message({.sentence = "Stop?", .actions = {"Go on", "Stop"}});
  CHECK(bar.isVisible());
  for (auto* button : bar.findChildren<QPushButton*>())
    if (button->text() == "Stop") button->click();
  CHECK_FALSE(bar.isVisible());
  REQUIRE(chosen.count() == 1);
  CHECK(chosen.at(0).at(0).toInt() == 1);
}

TEST_CASE("a job that succeeded or was canceled gives no message") {
  MessageBar bar;
  bar.show_outcome({Outcome::Kind::failed, "It broke.", "Mend it.", {}});
  CHECK(bar.isVisible());
  CHECK(bar.accessibleName() == "It broke.");
  bar.show_outcome({Outcome::Kind::canceled, "Stopped.", {}, {}});
  CHECK_FALSE(bar.isVisible());
}

TEST_CASE("Escape hides a message") {
  MessageBar bar;
  bar.show_message({.sentence = "Look."});
  QTest::keyClick(&bar, Qt::Key_Escape);
  CHECK_FALSE(bar.isVisible());
}
