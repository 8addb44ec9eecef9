#include "ui/mainwindow/settings_dialog.h"

#include <doctest/doctest.h>

#include <QDialogButtonBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QTest>

#include "stand_in_engine.h"
#include "ui/settings/settings.h"

using namespace ladimo::ui;

namespace {

QRadioButton* choice(const SettingsDialog& dialog, int index) {
  return dialog.findChildren<QRadioButton*>()[index];
}

QPushButton* ok(const SettingsDialog& dialog) {
  return dialog.findChild<QDialogButtonBox*>()->button(QDialogButtonBox::Ok);
}

}  // namespace

TEST_CASE("another machine needs a name before it can be chosen") {
  QSettings().clear();
  SettingsDialog dialog;
  CHECK(choice(dialog, 0)->isChecked());
  CHECK(ok(dialog)->isEnabled());
  choice(dialog, 1)->click();
  CHECK_FALSE(ok(dialog)->isEnabled());
  dialog.findChildren<QLineEdit*>()[0]->setText(" far ");
  CHECK(ok(dialog)->isEnabled());
  dialog.accept();
  CHECK(remembered(keys::engine_host) == "far");
  CHECK(remembered(keys::remote_program) == "ladimo");

  SettingsDialog again;
  CHECK(choice(again, 1)->isChecked());
  choice(again, 0)->click();
  again.accept();
  CHECK_FALSE(Engine::chosen().remote());
  QSettings().clear();
}

TEST_CASE("the connection is tested in the dialog") {
  const ladimo::testing::StandInSsh works("echo 'ladimo 1.2'"), refuses("echo 'No route.' >&2; exit 255");
  const struct {
    const ladimo::testing::StandInSsh& ssh;
    const char* answer;
  } rows[] = {{works, "It works: ladimo 1.2."}, {refuses, "far cannot be reached: No route."}};
  const QByteArray path = qgetenv("PATH");
  for (const auto& row : rows) {
    qputenv("PATH", QByteArray::fromStdString(row.ssh.folder().path().string()) + ':' + path);
    SettingsDialog dialog;
    choice(dialog, 1)->click();
    dialog.findChildren<QLineEdit*>()[0]->setText("far");
    for (auto* button : dialog.findChildren<QPushButton*>())
      if (button->text().contains("onnection")) button->click();
    CHECK(QTest::qWaitFor(
        [&] {
          for (const auto* label : dialog.findChildren<QLabel*>())
            if (label->text().contains(row.answer)) return true;
          return false;
        },
        20000));
    qputenv("PATH", path);
  }
}
