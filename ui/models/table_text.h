// Any table as text: for the clipboard and for CSV files.
#pragma once

#include <QAbstractItemModel>
#include <QString>

namespace ladimo::ui {

/// Header and all rows in the order of the model, as `csv_text` writes them.
QString table_text(const QAbstractItemModel& model, QChar separator);

}  // namespace ladimo::ui
