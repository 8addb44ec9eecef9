// The last lines that engine processes wrote besides their results, for reports of what went wrong.
#pragma once

#include <QStringList>

namespace ladimo::ui {

/// Adds what an engine process wrote. Only the last lines are kept, of all processes together.
void log_engine(const QString& lines);
QStringList engine_log();

}  // namespace ladimo::ui
