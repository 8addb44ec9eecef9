// The diagnostics report and About: what they tell, and that the report tells nothing of a person.
#include "ui/models/diagnostics.h"

#include <doctest/doctest.h>

#include <QAction>
#include <QClipboard>
#include <QDialog>
#include <QDir>
#include <QFile>
#include <QGuiApplication>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRegularExpression>
#include <QSettings>
#include <QSlider>
#include <QSysInfo>
#include <QTest>

#include "base/version.h"
#include "opened_run.h"
#include "support/temporary_folder.h"
#include "ui/engine/engine_log.h"
#include "ui/mainwindow/diagnostics_dialog.h"
#include "ui/mainwindow/main_window.h"
#include "ui/mainwindow/run_pages.h"
#include "ui/models/personal.h"
#include "ui/settings/settings.h"

using namespace ladimo;
using ladimo::testing::child;
using ladimo::testing::keep_picture;
using ladimo::testing::StandInEngine;
using ladimo::testing::wait_until;
using ui::Personal;

namespace {

const char* const about =
    R"({"version":"0.1.0","compiler":"GCC 12.2.0","libtorch":"1.13.1","kernels":"avx2","processor":"Example processor",)"
    R"("threads":8,"memory_bytes":34359738368,"gpus":1})";

/// Tells its versions, shows the example's run, and complains about a path while it does.
std::string script() {
  return "case $1 in\nserve) exec sleep 60 ;;\nabout)\n" + StandInEngine::finding(about) +
         "\nexit ;;\nesac\n"
         "echo 'reading /home/anna/secret project/run of alice@example.org on 10.1.2.3' >&2\n"
         R"(echo '{"event":"warning","message":"/data/acme corp/model/config.json is odd.","hint":"","path":"/data/acme corp/model"}')"
         "\n" +
         StandInEngine::finding(testing::example_show().dump());
}

const Personal anna{"/home/anna",
                    {"anna", "Anna Example"},
                    {"annas-laptop", "gpu7.example.org", "gpu7"},
                    {"/srv/my runs/tiny", "/srv/my runs"}};

}  // namespace

TEST_CASE("a text loses what is personal and keeps the rest") {
  const std::pair<const char*, const char*> rows[] = {
      {"/home/anna/models/llama/config.json is broken", "~…/config.json is broken"},
      {"cannot read /srv/my runs/tiny/layers/000.json", "cannot read “folder 1”…/000.json"},
      {"/srv/my runs/other/policy.json", "“folder 1”…/policy.json"},
      {"where: /data/acme corp/big model/model.safetensors", "where: …/model.safetensors"},
      {"\"path\":\"/data/acme/model\"", "\"path\":\"…/model\""},
      {"ssh: gpu7.example.org refused anna@gpu7", "ssh: HOST refused USER@HOST"},
      {"by Anna Example on ANNAS-LAPTOP", "by USER on HOST"},
      {"mail bob.b@mail.example.com from 192.168.0.17", "mail MAIL from ADDRESS"},
      {"/usr/lib/libtorch.so: version 1.13.1, 3/4 of 10 ms/token",
       "/usr/lib/libtorch.so: version 1.13.1, 3/4 of 10 ms/token"},
      {"annabel and bananna stay", "annabel and bananna stay"}};
  for (const auto& [text, expected] : rows)
    CHECK(ui::without(anna, QString::fromUtf8(text)).toStdString() == expected);
}

TEST_CASE("a folder hides neither the root nor what only begins like it") {
  const ui::Personal personal{"/home/anna", {}, {}, {"/", "/run1"}};
  CHECK(ui::without(personal, "/home/anna/x/model and /run1/policy.json").toStdString() ==
        "~…/model and “folder 1”/policy.json");
  CHECK(ui::without(personal, "there is no run in /run1. See /run1-model").toStdString() ==
        "there is no run in “folder 1”. See “folder 1”-model");
  CHECK(ui::without(personal, "/run10/policy.json").toStdString() == "…/policy.json");
}

TEST_CASE("this person's names are known") {
  QSettings().clear();
  remember(ui::keys::engine_host, QStringLiteral("carol@far.example.org"));
  remember_recent(ui::keys::recent_runs, "/x/a run", {});
  const Personal here = Personal::here();
  CHECK(here.home == QDir::homePath());
  CHECK(here.hosts.contains(QSysInfo::machineHostName()));
  CHECK(here.hosts.contains("far.example.org"));
  CHECK(here.hosts.contains("far"));
  CHECK(here.users.contains("carol"));
  CHECK(here.folders.contains("/x/a run"));
  QSettings().clear();
}

TEST_CASE("settings are told only where they were changed") {
  QSettings().clear();
  CHECK(ui::changed_settings_facts().empty());
  remember(ui::keys::frontier_log, false);
  remember(ui::keys::window_geometry, QByteArray("somewhere"));
  remember_recent(ui::keys::recent_runs, "/x/a run", {});
  QString all;
  for (const auto& [name, value] : ui::changed_settings_facts()) all += name + '=' + value + '\n';
  CHECK(all.toStdString() == "plots/frontier_log=false\nruns/recent=1 entries\nwindow/geometry=changed\n");
  remember(ui::keys::frontier_log, true);
  CHECK(ui::changed_settings_facts().size() == 2);
  QSettings().clear();
}

TEST_CASE("the log keeps the last lines of the engine") {
  for (int i = 0; i < 200; ++i) ui::log_engine(QStringLiteral("line %1\n").arg(i));
  CHECK(ui::engine_log().size() == 60);
  CHECK(ui::engine_log().last().endsWith("line 199"));
}

TEST_CASE("the report tells versions, machine, settings, run and log, and nothing personal") {
  QSettings().clear();
  remember(ui::keys::frontier_log, false);
  const StandInEngine engine(script());
  ui::MainWindow window(engine.engine());
  window.show();
  const QString folder = QString::fromStdString((engine.folder() / "annas-laptop run").string());
  window.open_run(folder);
  REQUIRE(wait_until([&] { return window.findChild<QSlider*>("tradeoff") != nullptr; }));
  window.findChild<QAction*>("diagnostics_action")->trigger();
  auto& dialog = child<ui::DiagnosticsDialog>(window, "diagnostics");
  auto& shown = child<QPlainTextEdit>(dialog, "report");
  REQUIRE(wait_until([&] { return shown.toPlainText().contains("Versions"); }));
  const QString report = shown.toPlainText();
  for (const char* told :
       {ladimo::version(), qVersion(), "QCustomPlot", "GCC 12.2.0", "libtorch", "1.13.1", "Example processor",
        "Cores", "Memory", "Screens", "offscreen", "this machine", "plots/frontier_log", "layers",
        "measurements", "$ ladimo show", "config.json is odd", "ended with status 0"})
    CHECK_MESSAGE(report.contains(QString::fromUtf8(told)), told << " is missing in\n"
                                                                 << report.toStdString());
  QStringList personal{folder, "acme", "secret project", "alice", "10.1.2.3", "annas-laptop"};
  const Personal here = Personal::here();
  if (here.home.size() > 1) personal << here.home + '/';
  for (const QString& name : personal)
    CHECK_MESSAGE(!report.contains(name), name.toStdString() << " is in\n" << report.toStdString());
  for (const QString& name : here.users + here.hosts) {
    if (name.isEmpty()) continue;
    const QRegularExpression word("\\b" + QRegularExpression::escape(name) + "\\b",
                                  QRegularExpression::CaseInsensitiveOption);
    CHECK_MESSAGE(!report.contains(word), name.toStdString() << " is in\n" << report.toStdString());
  }
  keep_picture(dialog, "diagnostics");

  QPushButton* copying = nullptr;
  for (auto* button : dialog.findChildren<QPushButton*>())
    if (button->text() == "&Copy") copying = button;
  REQUIRE(copying);
  shown.appendPlainText("and what I did");  // a person may change it
  copying->click();
  CHECK(QGuiApplication::clipboard()->text() == shown.toPlainText());
  CHECK(shown.toPlainText().endsWith("and what I did"));
  const testing::TemporaryFolder place;
  const QString path = QString::fromStdString((place / "report.txt").string());
  dialog.save(path);
  QFile file(path);
  REQUIRE(file.open(QIODevice::ReadOnly));
  CHECK(QString::fromUtf8(file.readAll()) == shown.toPlainText());
  dialog.save("/nowhere/report.txt");
  CHECK(child<QLabel>(dialog, "said").text().contains("report.txt"));
  QSettings().clear();
}

TEST_CASE("without an engine the report says so") {
  ui::MainWindow window(ui::Engine{"/nonexistent/ladimo", {}});
  window.show();
  window.findChild<QAction*>("diagnostics_action")->trigger();
  auto& shown = child<QPlainTextEdit>(child<QDialog>(window, "diagnostics"), "report");
  CHECK(wait_until([&] { return shown.toPlainText().contains("The engine could not be started"); }));
  CHECK(shown.toPlainText().contains("Open run\n  none"));
}

TEST_CASE("About tells the versions of the program and, when it answers, of the engine") {
  const StandInEngine engine(script());
  ui::MainWindow window(engine.engine());
  window.show();
  window.findChild<QAction*>("about_action")->trigger();
  auto& dialog = child<QDialog>(window, "about");
  CHECK_FALSE(dialog.isModal());
  const auto words = [&] {
    QStringList all;
    for (const auto* label : dialog.findChildren<QLabel*>()) all << label->text();
    return all.join('\n');
  };
  CHECK(words().contains(ladimo::version()));
  CHECK(words().contains(qVersion()));
  CHECK(words().contains("GPL-3.0-or-later"));
  CHECK(wait_until([&] { return words().contains("1.13.1"); }));
  CHECK(words().contains("QCustomPlot"));
  keep_picture(dialog, "about");
  for (auto* button : dialog.findChildren<QPushButton*>())
    if (button->text() == "Copy &versions") button->click();
  CHECK(QGuiApplication::clipboard()->text().contains("libtorch 1.13.1"));
}
