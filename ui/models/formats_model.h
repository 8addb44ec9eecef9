// The formats of an export as a table: a row for each, as a folder and as a GGUF file.
#pragma once

#include <optional>
#include <vector>

#include <QAbstractTableModel>

#include "ui/models/export_choice.h"
#include "ui/models/theme.h"

namespace ladimo::ui {

class FormatsModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { format, opened_in, way, policy, predicted_kl, measured_kl, size, column_count };
  static constexpr int sort_role = Qt::UserRole;

  /// A KL that was measured, and where that was.
  struct Measured {
    double kl = 0;
    QString source;
  };

  using QAbstractTableModel::QAbstractTableModel;

  /// `wanted` is the policy that the choices are about.
  void set_choices(std::vector<ExportChoice> choices, Policy wanted);
  /// One for each row.
  void set_measured(std::vector<std::optional<Measured>> measured);
  void set_theme(const Theme& theme);
  const std::vector<ExportChoice>& choices() const { return choices_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  std::optional<double> number(int row, int column) const;
  QString cell(int row, int column) const;
  QString tip(int row, int column) const;

  std::vector<ExportChoice> choices_;
  std::vector<std::optional<Measured>> measured_;
  Policy wanted_;
  Theme theme_;
};

}  // namespace ladimo::ui
