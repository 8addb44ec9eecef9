#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <fstream>

#include <QRegularExpression>
#include <QSettings>
#include <QTemporaryDir>

#include <nlohmann/json.hpp>

#include "support/event_clock.h"

namespace {

/// LADIMO_TEST_PLATFORM=xcb runs on the display; without it nothing is shown. LADIMO_TEST_SCREEN=1920x1080@2
/// gives the screen's size in device pixels and its scale; without it the screen is a small one.
void choose_platform(const QTemporaryDir& folder) {
  QByteArray platform = qgetenv("LADIMO_TEST_PLATFORM");
  const auto screen = QRegularExpression(QStringLiteral("^(\\d+)x(\\d+)(@(\\d+))?$"))
                          .match(qEnvironmentVariable("LADIMO_TEST_SCREEN", QStringLiteral("1024x700")));
  if (platform.isEmpty()) platform = "offscreen";
  if (platform == "offscreen" && screen.hasMatch()) {
    const QString file = folder.filePath(QStringLiteral("screen.json"));
    const nlohmann::json one = {{"name", "screen"},
                                {"x", 0},
                                {"y", 0},
                                {"width", screen.captured(1).toInt()},
                                {"height", screen.captured(2).toInt()},
                                {"logicalDpi", 96},
                                {"logicalBaseDpi", 96},
                                {"dpr", 1}};
    std::ofstream(file.toStdString()) << nlohmann::json{{"screens", {one}}};
    platform += ":configfile=" + file.toUtf8();
  }
  if (!screen.captured(4).isEmpty()) qputenv("QT_SCALE_FACTOR", screen.captured(4).toUtf8());
  qputenv("QT_QPA_PLATFORM", platform);
}

}  // namespace

int main(int argc, char** argv) {
  const QTemporaryDir settings;  // the tests must not touch the user's settings
  choose_platform(settings);
  QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, settings.path());
  QCoreApplication::setOrganizationName(QStringLiteral("ladimo"));
  QCoreApplication::setApplicationName(QStringLiteral("ladimo-studio"));
  ladimo::testing::EventClock application(argc, argv);
  QApplication::setStyle(QStringLiteral("Fusion"));
  return doctest::Context(argc, argv).run();
}
