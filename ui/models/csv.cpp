#include "ui/models/csv.h"

#include <QLocale>

namespace ladimo::ui {
namespace {

QString quoted_where_needed(QString cell, QChar separator) {
  cell.replace('\n', ' ');
  if (!cell.contains(separator) && !cell.contains('"')) return cell;
  return '"' + cell.replace('"', QStringLiteral("\"\"")) + '"';
}

}  // namespace

QString csv_number(double value) { return QString::number(value, 'g', QLocale::FloatingPointShortest); }

QString csv_text(const Rows& rows, QChar separator) {
  QString text;
  for (QStringList cells : rows) {
    for (QString& cell : cells) cell = quoted_where_needed(cell, separator);
    text += cells.join(separator) + '\n';
  }
  return text;
}

}  // namespace ladimo::ui
