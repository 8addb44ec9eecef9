#include "ui/settings/settings.h"

#include <doctest/doctest.h>

#include <QCheckBox>

using namespace ladimo::ui;

TEST_CASE("a key has its default value until something is stored") {
  QSettings().clear();
  CHECK(remembered(keys::last_folder).isEmpty());
  remember(keys::last_folder, QStringLiteral("a/folder"));
  CHECK(remembered(keys::last_folder) == "a/folder");
}

TEST_CASE("recent runs are listed newest first, each once, ten at most") {
  QSettings().clear();
  for (int run = 0; run < 12; ++run) remember_recent(keys::recent_runs, "/" + QString::number(run), {});
  remember_recent(keys::recent_runs, "/5", {});
  const QStringList runs = recent(keys::recent_runs, {});
  CHECK(runs.size() == 10);
  CHECK(runs[0] == "/5");
  CHECK(runs[1] == "/11");
  CHECK(runs.count("/5") == 1);
  forget_recent(keys::recent_runs, "/5", {});
  CHECK(recent(keys::recent_runs, {}).first() == "/11");
}

TEST_CASE("every machine has its own recent folders") {
  QSettings().clear();
  remember_recent(keys::recent_models, "/here", {});
  remember_recent(keys::recent_models, "~/there", "far");
  CHECK(recent(keys::recent_models, {}) == QStringList{"/here"});
  CHECK(recent(keys::recent_models, "far") == QStringList{"~/there"});
  CHECK(recent(keys::recent_models, "elsewhere").isEmpty());
}

TEST_CASE("only changes by a person are remembered, not those by the program") {
  QSettings().clear();
  QCheckBox first, again;
  remember_choice(first, keys::frontier_log);
  CHECK(first.isChecked());
  first.setChecked(false);
  CHECK(remembered(keys::frontier_log));
  first.setChecked(true);
  first.click();
  remember_choice(again, keys::frontier_log);
  CHECK_FALSE(again.isChecked());
  QSettings().clear();
}
