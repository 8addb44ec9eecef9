// The calibration files as a table, with the documents and tokens of each.
#pragma once

#include <QAbstractTableModel>

namespace ladimo::ui {

class TextPageConfig;

class TextFileModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { file, tokens, taken, column_count };

  /// Follows `config`, which must outlive it.
  explicit TextFileModel(const TextPageConfig& config, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  QString text(int row, int column) const;
  QString tool_tip(const QString& path) const;

  const TextPageConfig& config_;
};

}  // namespace ladimo::ui
