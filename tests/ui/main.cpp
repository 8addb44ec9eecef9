#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <QSettings>
#include <QTemporaryDir>

#include "support/event_clock.h"

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  const QTemporaryDir settings;  // the tests must not touch the user's settings
  QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, settings.path());
  QCoreApplication::setOrganizationName(QStringLiteral("ladimo"));
  QCoreApplication::setApplicationName(QStringLiteral("ladimo-studio"));
  ladimo::testing::EventClock application(argc, argv);
  QApplication::setStyle(QStringLiteral("Fusion"));
  return doctest::Context(argc, argv).run();
}
