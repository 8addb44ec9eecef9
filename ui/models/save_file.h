// A file that is either whole or as it was before.
#pragma once

#include <QByteArray>
#include <QString>

namespace ladimo::ui {

/// Replaces `path` by `bytes` atomically. What went wrong and what to do, as one sentence each; empty when
/// saved.
QString save_file(const QString& path, const QByteArray& bytes);
/// The sentences for a file that could not be written because of `reason`.
QString not_saved(const QString& path, const QString& reason);

}  // namespace ladimo::ui
