#include "ui/widgets/message_bar.h"

#include <doctest/doctest.h>

#include <QPushButton>
#include <QTest>

#include "ui/engine/outcome.h"

using namespace ladimo::ui;

TEST_CASE("pressing a button hides the bar and is reported once") {
  MessageBar bar;
  QList<int> chosen;
  const auto answer = [&](int action) { chosen << action; };
  CHECK_FALSE(bar.isVisible());
  bar.show_message({.sentence = "Stop?", .actions = {"Go on", "Stop"}, .answer = answer});
  CHECK(bar.isVisible());
  for (auto* button : bar.findChildren<QPushButton*>())
    if (button->text() == "Stop") button->click();
  CHECK_FALSE(bar.isVisible());
  CHECK(chosen == QList<int>{1});
}

TEST_CASE("a job that succeeded or was canceled gives no message") {
  MessageBar bar;
  bar.show_outcome({Outcome::Kind::failed, "It broke.", "Mend it.", {}});
  CHECK(bar.isVisible());
  CHECK(bar.accessibleName() == "It broke.");
  bar.show_outcome({Outcome::Kind::canceled, "Stopped.", {}, {}});
  CHECK_FALSE(bar.isVisible());
}

TEST_CASE("Escape gives the safe answer to a question, and a new message drops it") {
  MessageBar bar;
  QList<int> chosen;
  const auto answer = [&](int action) { chosen << action; };
  bar.show_message({.sentence = "Stop?", .actions = {"Go on", "Stop"}, .answer = answer});
  CHECK(bar.asks());
  QTest::keyClick(&bar, Qt::Key_Escape);
  CHECK(chosen == QList<int>{0});
  bar.show_message({.sentence = "Stop?", .actions = {"Go on", "Stop"}, .answer = answer});
  bar.show_message({.sentence = "Look."});
  CHECK_FALSE(bar.asks());
  QTest::keyClick(&bar, Qt::Key_Escape);
  CHECK(chosen == QList<int>{0});
}

TEST_CASE("Escape hides a message") {
  MessageBar bar;
  bar.show_message({.sentence = "Look."});
  QTest::keyClick(&bar, Qt::Key_Escape);
  CHECK_FALSE(bar.isVisible());
}
