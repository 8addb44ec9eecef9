// How every table looks, and how it leaves the window.
#pragma once

#include <QObject>
#include <QString>

class QAbstractItemView;
class QTableView;

namespace ladimo::ui {

/// Rows are selected as a whole, no grid, lines one and a half times as high as the type, sorted by a click
/// on the header.
void set_table_look(QTableView& table);
/// Every column as wide as its contents and a little more.
void fit_columns(QTableView& table);

/// Ctrl+C, and a context menu with "Copy table" and "Save table as CSV…". Belongs to the table.
class TableActions : public QObject {
  Q_OBJECT
 public:
  /// `name`: of the file that is proposed, without its ending.
  TableActions(QAbstractItemView& table, QString name);

  /// The whole table as it is sorted and filtered, with its header, columns parted by tabs.
  void copy() const;
  /// The same as CSV. Replaces the file atomically; emits `saved` or `failed`.
  void save(const QString& path);

 signals:
  void saved(const QString& path);
  /// What happened and what to do, to be shown beside the table.
  void failed(const QString& sentence);

 private:
  void ask_and_save();

  QAbstractItemView& table_;
  QString name_;
};

}  // namespace ladimo::ui
