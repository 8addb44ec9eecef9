// The partition of one FFN: every neuron a cell, coloured by the expert it goes to.
#pragma once

#include <vector>

#include <QWidget>

#include "ui/models/csv.h"

namespace ladimo::ui {

/// Two pictures of the same neurons: as they stand in the checkpoint, and gathered into experts with the
/// shared set first; under them a legend.
class PartitionPicture : public QWidget {
  Q_OBJECT
 public:
  explicit PartitionPicture(QWidget* parent = nullptr);

  /// `partition`: for every neuron its expert, -1 for the shared set. `faint`: it is being drawn anew.
  void show_partition(std::vector<int> partition, bool faint);
  /// Says in place of the picture what will appear.
  void show_text(const QString& text);
  const std::vector<int>& partition() const { return partition_; }

  /// A neuron a row, with its expert.
  Rows numbers() const;
  /// As PNG, PDF or CSV, as the path's ending says; replaces the file atomically. Emits `failed` when that is
  /// impossible.
  void save(const QString& path);

  QSize minimumSizeHint() const override;

 signals:
  /// What happened and what to do, to be shown beside the picture.
  void failed(const QString& sentence);

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;

 private:
  struct Grid;
  void make_menu();
  void ask_and_save();
  QByteArray pdf();
  std::vector<Grid> grids() const;
  void paint_grid(QPainter& painter, const Grid& grid) const;
  void paint_legend(QPainter& painter) const;
  QString words(int neuron) const;

  std::vector<int> partition_;
  std::vector<int> gathered_;  // neurons by expert, shared first
  int experts_ = 0;            // routed
  bool faint_ = false;
  QString text_;
};

}  // namespace ladimo::ui
