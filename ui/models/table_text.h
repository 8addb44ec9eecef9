// Any table as text: for the clipboard and for CSV files.
#pragma once

#include <QAbstractItemModel>
#include <QString>

namespace ladimo::ui {

/// Header and all rows, one line each, in the order of the model. Line breaks become spaces; cells
/// that hold the separator or a quote are quoted as RFC 4180 says.
QString table_text(const QAbstractItemModel& model, QChar separator);

}  // namespace ladimo::ui
