// What tables have in common: the headings of columns, and the look of cells that differ.
#pragma once

#include <QAbstractItemModel>
#include <QFont>
#include <QVariant>

namespace ladimo::ui {

/// Words of one column, marked with QT_TRANSLATE_NOOP in the context of the table's class.
struct ColumnText {
  const char* title;  // with the unit
  const char* tip;
};

/// QAbstractItemModel::headerData() of a column. `table` is the class whose context the words have.
inline QVariant header_of(const ColumnText& column, const QMetaObject& table, int alignment, int role) {
  switch (role) {
    case Qt::DisplayRole:
      return table.tr(column.title, nullptr);
    case Qt::ToolTipRole:
      return table.tr(column.tip, nullptr);
    case Qt::TextAlignmentRole:
      return alignment;
    default:
      return {};
  }
}

/// The font of a cell that differs from the one it is compared with: bold.
inline QVariant font_of_difference(bool differs) {
  if (!differs) return {};
  QFont bold;
  bold.setBold(true);
  return bold;
}

}  // namespace ladimo::ui
