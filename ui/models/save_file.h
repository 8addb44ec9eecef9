// Saves a file so that it is either complete or unchanged.
#pragma once

#include <QByteArray>
#include <QString>

namespace ladimo::ui {

/// Replaces the file at `path` atomically. Returns what went wrong and what to do, in one sentence each, or
/// an empty text when the file was saved.
QString save_file(const QString& path, const QByteArray& bytes);
/// The sentences for a file that could not be written because of `reason`.
QString not_saved(const QString& path, const QString& reason);

}  // namespace ladimo::ui
