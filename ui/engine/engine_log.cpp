#include "ui/engine/engine_log.h"

#include <QTime>

namespace ladimo::ui {
namespace {

constexpr qsizetype kept = 60;  // lines

QStringList& lines_kept() {
  static QStringList lines;
  return lines;
}

}  // namespace

void log_engine(const QString& lines) {
  const QString time = QTime::currentTime().toString(QStringLiteral("hh:mm:ss "));
  QStringList& all = lines_kept();
  for (const QString& line : lines.split('\n', Qt::SkipEmptyParts)) all << time + line;
  if (all.size() > kept) all.remove(0, all.size() - kept);
}

QStringList engine_log() { return lines_kept(); }

}  // namespace ladimo::ui
