#include "ui/models/table_text.h"

#include <QStringList>

namespace ladimo::ui {
namespace {

QString cell(const QVariant& value, QChar separator) {
  QString text = value.toString().replace('\n', ' ');
  if (!text.contains(separator) && !text.contains('"')) return text;
  return '"' + text.replace('"', QStringLiteral("\"\"")) + '"';
}

}  // namespace

QString table_text(const QAbstractItemModel& model, QChar separator) {
  QString text;
  for (int row = -1; row < model.rowCount(); ++row) {
    QStringList cells;
    for (int column = 0; column < model.columnCount(); ++column)
      cells << cell(row < 0 ? model.headerData(column, Qt::Horizontal) : model.index(row, column).data(),
                    separator);
    text += cells.join(separator) + '\n';
  }
  return text;
}

}  // namespace ladimo::ui
