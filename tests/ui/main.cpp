#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <QSettings>
#include <QTemporaryDir>

#include "support/event_clock.h"
#include "support/screen.h"

int main(int argc, char** argv) {
  const QTemporaryDir settings;  // the tests must not touch the user's settings
  ladimo::testing::choose_screen(settings, QStringLiteral("1024x700"));
  QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, settings.path());
  QCoreApplication::setOrganizationName(QStringLiteral("ladimo"));
  QCoreApplication::setApplicationName(QStringLiteral("ladimo-studio"));
  ladimo::testing::EventClock application(argc, argv);
  QApplication::setStyle(QStringLiteral("Fusion"));
  return doctest::Context(argc, argv).run();
}
