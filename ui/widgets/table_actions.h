// What all tables have in common: their look, and copying and saving them.
#pragma once

#include <QObject>
#include <QString>

class QAbstractItemView;
class QTableView;
class QWidget;

namespace ladimo::ui {

/// Whole rows are selected, there is no grid, rows are one and a half times as high as a line of text, and a
/// click on a header sorts.
void set_table_look(QTableView& table);
/// Makes every column as wide as its contents plus one unit of spacing.
void fit_columns(QTableView& table);

/// The table with its actions (TableActions), in a widget with a note below it that says why saving failed.
QWidget* with_actions(QTableView& table, const QString& name);

/// Adds Ctrl+C and a context menu with "Copy table" and "Save table as CSV…". The table owns it.
class TableActions : public QObject {
  Q_OBJECT
 public:
  /// `name`: the file name that is proposed, without ".csv".
  TableActions(QAbstractItemView& table, QString name);

  /// Copies the whole table as it is sorted and filtered, with its header. Tabs separate the columns.
  void copy() const;
  /// Saves the whole table as CSV. Replaces the file atomically; emits `saved` or `failed`.
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
