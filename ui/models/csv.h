// Numbers and words as CSV: one way for tables, plots and exports.
#pragma once

#include <QList>
#include <QStringList>

namespace ladimo::ui {

using Rows = QList<QStringList>;  // the first is the header

/// The shortest text that reads back as the same number.
QString csv_number(double value);
/// A line for every row. Line breaks in cells become spaces; cells that hold the separator or a quote are
/// quoted as RFC 4180 says.
QString csv_text(const Rows& rows, QChar separator = ',');

}  // namespace ladimo::ui
