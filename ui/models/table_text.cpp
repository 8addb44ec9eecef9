#include "ui/models/table_text.h"

#include "ui/models/csv.h"

namespace ladimo::ui {

QString table_text(const QAbstractItemModel& model, QChar separator) {
  Rows rows;
  for (int row = -1; row < model.rowCount(); ++row) {
    QStringList cells;
    for (int column = 0; column < model.columnCount(); ++column)
      cells << (row < 0 ? model.headerData(column, Qt::Horizontal) : model.index(row, column).data())
                   .toString();
    rows << cells;
  }
  return csv_text(rows, separator);
}

}  // namespace ladimo::ui
