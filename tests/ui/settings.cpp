#include "ui/settings/settings.h"

#include <doctest/doctest.h>

using namespace ladimo::ui;

TEST_CASE("a key has its first value until something is remembered") {
  QSettings().clear();
  CHECK(remembered(keys::last_folder).isEmpty());
  remember(keys::last_folder, QStringLiteral("a/folder"));
  CHECK(remembered(keys::last_folder) == "a/folder");
}

TEST_CASE("recent runs: the last first, each once, ten at most") {
  QSettings().clear();
  for (int run = 0; run < 12; ++run) remember_run(QString::number(run));
  remember_run(QStringLiteral("5"));
  const QStringList runs = remembered(keys::recent_runs);
  CHECK(runs.size() == 10);
  CHECK(runs[0] == "5");
  CHECK(runs[1] == "11");
  CHECK(runs.count("5") == 1);
}
