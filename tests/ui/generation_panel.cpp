#include "ui/panels/generation_panel.h"

#include <doctest/doctest.h>

#include <QApplication>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSpinBox>

#include "opened_run.h"
#include "palettes.h"
#include "ui/panels/token_view.h"

using namespace ladimo;
using ladimo::testing::child;
using ladimo::testing::keep_picture;
using ladimo::testing::OpenedRun;
using ladimo::testing::wait_until;
using ui::GenerationPanel;
using ui::TokenView;

namespace {

const std::string answering = R"sh(
    *generate*) for word in ' a' ' little' ' girl' ' named' ' Lily' ' found' ' a' ' needle' '.'; do
        echo '{"event":"token","side":"dense","text":"'"$word"'","token_id":7,"experts":[],"id":'$id'}'; done
      n=14; for word in ' a' ' little' ' girl' ' named' ' Lily' ' saw' ' a' ' needle' ' in' ' her' ' room' '.'; do
        n=$((n + 2))
        echo '{"event":"token","side":"converted","text":"'"$word"'","token_id":7,"experts":[-1,'$n',12,'$n','$n',17],"id":'$id'}'; done
      echo '{"event":"result","dense":{"text":"","tokens":[],"tokens_per_s":81.5},"converted":{"text":"","tokens":[],"tokens_per_s":104.2},"id":'$id'}' ;;)sh";
const std::string refusing = R"sh(
    *generate*) echo '{"event":"error","message":"The prompt is too long.","hint":"Shorten it.","path":"","id":'$id'}' ;;)sh";
const std::string stoppable = R"sh(
    *cancel*) echo '{"event":"error","message":"Canceled.","hint":"","path":"","canceled":true,"id":'$id'}' ;;
    *generate*) echo '{"event":"token","side":"dense","text":" one","token_id":7,"experts":[],"id":'$id'}' ;;)sh";

struct Shown : OpenedRun {
  explicit Shown(const std::string& answers) : OpenedRun(answers), panel(run, editor, serve) {
    panel.resize(1100, 560);
    panel.show();
  }
  QPushButton& button() { return child<QPushButton>(panel, "generate"); }
  /// The text under the dense (0) or the converted side (1).
  QString state(int side) { return panel.findChildren<QLabel*>("state").at(side)->text(); }
  TokenView& view(int side) { return *panel.findChildren<TokenView*>().at(side); }
  bool idle() { return button().text().contains("Generate"); }

  GenerationPanel panel;
};

}  // namespace

TEST_CASE("both models continue the prompt, and the rough speed of each is shown under it") {
  Shown shown(answering);
  child<QPlainTextEdit>(shown.panel, "prompt").setPlainText("There was");
  shown.button().click();
  CHECK(shown.state(0).contains("loading the model"));
  CHECK(shown.state(1).contains("Waiting"));
  REQUIRE(wait_until([&] { return shown.idle(); }));
  CHECK(shown.view(0).toPlainText() == "There was a little girl named Lily found a needle.");
  CHECK(shown.view(1).toPlainText() == "There was a little girl named Lily saw a needle in her room.");
  CHECK(shown.state(0) == "9 tokens · about 82 tokens/s");  // rough, and not in bold
  CHECK(shown.state(1) == "12 tokens · about 100 tokens/s");
  emit shown.view(1).pointed(0);
  CHECK(child<QLabel>(shown.panel, "pointed").text().contains("dense · 16 · 12"));
  emit shown.view(1).pointed(-1);
  CHECK(child<QLabel>(shown.panel, "pointed").text().isEmpty());
}

TEST_CASE("generation says that the engine is still busy with something else") {
  Shown shown("*bench*) ;;");
  shown.serve.bench({});
  shown.button().click();
  REQUIRE(wait_until([&] { return shown.state(0).contains("earlier request"); }));
}

TEST_CASE("a refused prompt gives a message under both sides") {
  Shown shown(refusing);
  shown.button().click();
  REQUIRE(wait_until([&] { return shown.idle(); }));
  for (const int side : {0, 1}) CHECK(shown.state(side) == "The prompt is too long. Shorten it.");
}

TEST_CASE("generation can be stopped, and what was written stays") {
  Shown shown(stoppable);
  shown.button().click();
  CHECK(shown.button().text().contains("Stop"));
  REQUIRE(wait_until([&] { return shown.view(0).token_count() == 1; }));
  shown.button().click();
  REQUIRE(wait_until([&] { return shown.idle(); }));
  CHECK(shown.state(0).contains("Stopped after 1"));
  CHECK(shown.view(0).toPlainText().endsWith(" one"));
}

TEST_CASE("an answer without the texts is not shown as a speed") {
  Shown shown(R"sh(*generate*) echo '{"event":"result","id":'$id'}' ;;)sh");
  shown.button().click();
  REQUIRE(wait_until([&] { return shown.idle(); }));
  CHECK(shown.state(0).contains("missing one of the models"));
}

TEST_CASE("the seed is enabled only when tokens are sampled") {
  Shown shown(answering);
  auto& seed = child<QSpinBox>(shown.panel, "seed");
  CHECK_FALSE(seed.isEnabled());
  child<QDoubleSpinBox>(shown.panel, "temperature").setValue(0.8);
  CHECK(seed.isEnabled());
}

TEST_CASE("every state of the generation panel can be drawn") {
  for (const bool dark : {false, true}) {
    QApplication::setPalette(dark ? testing::dark_palette() : testing::light_palette());
    const QString tint = dark ? "dark" : "light";
    Shown done(answering), failed(refusing), loading("");
    keep_picture(done.panel, "generation-empty-" + tint);
    for (Shown* shown : {&done, &failed, &loading}) shown->button().click();
    keep_picture(loading.panel, "generation-loading-" + tint);
    REQUIRE(wait_until([&] { return done.idle() && failed.idle(); }));
    emit done.view(1).pointed(3);
    keep_picture(done.panel, "generation-done-" + tint);
    keep_picture(failed.panel, "generation-failed-" + tint);
  }
  QApplication::setPalette(QPalette());
}
