// The screen on which windows are tested and drawn.
#pragma once

#include <fstream>

#include <QRegularExpression>
#include <QTemporaryDir>

#include <nlohmann/json.hpp>

namespace ladimo::testing {

/// Call it before the application is made. LADIMO_TEST_PLATFORM=xcb runs on the display; without it nothing
/// is shown. LADIMO_TEST_SCREEN=1920x1080@2 gives the screen's size in device pixels and its scale; `usual`
/// is the one without it. `folder` must outlive the application.
inline void choose_screen(const QTemporaryDir& folder, const QString& usual) {
  QByteArray platform = qgetenv("LADIMO_TEST_PLATFORM");
  const auto screen = QRegularExpression(QStringLiteral("^(\\d+)x(\\d+)(@(\\d+))?$"))
                          .match(qEnvironmentVariable("LADIMO_TEST_SCREEN", usual));
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

}  // namespace ladimo::testing
