// How the window writes numbers.
#pragma once

#include <QLocale>
#include <QObject>
#include <QString>

#include "base/format.h"

namespace ladimo::ui {

/// A number with three significant digits.
inline QString number_text(double value) { return QString::fromStdString(format_number(value)); }
/// A share in per cent, three significant digits: "80.0 %".
inline QString percent_text(double share) { return number_text(share * 100) + QStringLiteral(" %"); }
inline QString bytes_text(double bytes) { return QString::fromStdString(format_bytes(bytes)); }
inline QString duration_text(double seconds) { return QString::fromStdString(format_seconds(seconds)); }
/// An estimated time, such as "about 5 min".
inline QString about(double seconds) {
  return seconds < 0.95 ? QObject::tr("under 1 s") : QObject::tr("about %1").arg(duration_text(seconds));
}
/// A time that is still running: whole seconds, so that it does not flicker.
inline QString whole_seconds(double seconds) {
  return duration_text(seconds < 10 ? qMax(1.0, qRound(seconds) * 1.0) : seconds);
}
inline QString count_text(double count) { return QString::fromStdString(format_count(count)); }
/// A count with its digits in groups: 100000 -> "100,000".
inline QString grouped(qint64 count) { return QLocale(QLocale::English).toString(count); }

}  // namespace ladimo::ui
