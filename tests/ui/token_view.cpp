#include "ui/panels/token_view.h"

#include <doctest/doctest.h>

#include <QApplication>
#include <QSignalSpy>
#include <QTest>
#include <QTextBlock>

#include "palettes.h"
#include "ui/models/theme.h"
#include "ui/widgets/tint.h"

using namespace ladimo;
using namespace ladimo::ui;

namespace {

TokenEvent token(const std::string& text, std::vector<int> experts) {
  return {true, text, 1, std::move(experts)};
}

QColor background_at(const TokenView& view, int position) {
  QTextCursor cursor(view.document());
  cursor.setPosition(position + 1);  // charFormat is that of the character before the cursor
  return cursor.charFormat().background().color();
}

}  // namespace

TEST_CASE("tokens follow one another, and every position finds its token") {
  TokenView view;
  view.set_scale(0, 48);
  view.begin("Once");
  view.append(token(" upon", {-1, 10, 20}));
  view.append(token("\n", {-1, 0, 0}));
  view.append(token("a\r", {-1, 48, 48}));
  CHECK(view.toPlainText() == "Once");  // later tokens appear at the next tick
  view.flush();
  CHECK(view.toPlainText() == "Once upon\na");
  CHECK(view.token_count() == 3);
  const int expected[] = {-1, -1, -1, -1, 0, 0, 0, 0, 0, 1, 2, -1};
  for (int position = 0; position < 12; ++position) {
    CAPTURE(position);
    CHECK(view.token_at(position) == expected[position]);
  }
  CHECK(view.details(0).contains("15.0 routed experts"));
  CHECK(view.details(0).contains("dense"));
  CHECK(view.summary(1).contains("↵"));
  CHECK(view.summary(2).contains("dense · 48 · 48"));
}

TEST_CASE("the tint says how many experts ran, and a dense token has none") {
  TokenView view;
  view.set_scale(10, 30);
  view.begin({});
  view.append(token("a", {10}));
  view.append(token("b", {30}));
  view.append(token("c", {47}));
  view.append(token("d", {-1, -1}));
  view.flush();
  const Theme theme = theme_of(view.palette());
  CHECK(background_at(view, 0) == tint(theme, 0));
  CHECK(background_at(view, 1) == tint(theme, 1));
  CHECK(background_at(view, 2) == tint(theme, 1));
  QTextCursor last(view.document());
  last.movePosition(QTextCursor::End);
  CHECK(last.charFormat().background().style() == Qt::NoBrush);
  CHECK(view.details(3).contains("Every layer dense"));
}

TEST_CASE("a long text only grows at its end") {
  TokenView view;
  view.begin({});
  int added = 0, removed = 0;
  QObject::connect(view.document(), &QTextDocument::contentsChange, [&](int, int gone, int come) {
    added += come;
    removed += gone;
  });
  constexpr int tokens = 3000;
  for (int i = 0; i < tokens; ++i) {
    view.append(token("word ", {i % 48}));
    if (i % 10 == 0) view.flush();
  }
  view.flush();
  CHECK(view.token_count() == tokens);
  CHECK(removed <= tokens / 10 + 2);  // Qt counts the final block's end with every insertion
  CHECK(added <= tokens * 5 + tokens / 10 + 2);
  CHECK(view.token_at(5 * 1234 + 2) == 1234);
}

TEST_CASE("the pointer and the text cursor report the token that they are on") {
  TokenView view;
  view.begin({});
  view.append(token("first", {1}));
  view.append(token("second", {2}));
  view.resize(400, 200);
  view.show();
  view.flush();
  QSignalSpy pointed(&view, &TokenView::pointed);
  QTextCursor cursor(view.document());
  cursor.setPosition(7);
  const QPoint inside = view.cursorRect(cursor).center() + QPoint(2, 0);
  QMouseEvent move(QEvent::MouseMove, inside, view.viewport()->mapToGlobal(inside), Qt::NoButton,
                   Qt::NoButton, Qt::NoModifier);
  QApplication::sendEvent(view.viewport(), &move);
  REQUIRE(pointed.count() > 0);
  CHECK(pointed.last().at(0).toInt() == 1);
  const QPoint below(inside.x(), 150);
  QMouseEvent away(QEvent::MouseMove, below, view.viewport()->mapToGlobal(below), Qt::NoButton, Qt::NoButton,
                   Qt::NoModifier);
  QApplication::sendEvent(view.viewport(), &away);
  CHECK(pointed.last().at(0).toInt() == -1);
  view.activateWindow();
  REQUIRE(QTest::qWaitForWindowActive(&view));
  view.setFocus();
  cursor.setPosition(2);
  view.setTextCursor(cursor);
  CHECK(pointed.last().at(0).toInt() == 0);
}

TEST_CASE("text is readable on any tint, light and dark, and stronger tints look stronger") {
  for (const QPalette& palette : {testing::light_palette(), testing::dark_palette()}) {
    const Theme theme = theme_of(palette);
    double before = 0;
    for (double amount = 0; amount <= 1; amount += 0.1) {
      const QColor colour = tint(theme, amount);
      CHECK(contrast(colour, theme.text) >= 4.4);
      const double away = contrast(colour, theme.background);
      CHECK(away >= before - 0.02);
      before = away;
    }
    CHECK(before > 1.5);
  }
  CHECK(contrast(Qt::black, Qt::white) == doctest::Approx(21));
}

TEST_CASE("tokens keep their tint when the palette changes") {
  TokenView view;
  view.set_scale(0, 1);
  view.begin("so ");
  view.append(token("a", {1}));
  view.flush();
  view.setPalette(testing::dark_palette());
  CHECK(background_at(view, 3) == tint(theme_of(testing::dark_palette()), 1));
}
