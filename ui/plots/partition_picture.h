// The partition of one FFN: every neuron is a cell, coloured by the expert it goes to.
#pragma once

#include <vector>

#include <QWidget>

#include "ui/models/csv.h"

namespace ladimo::ui {

/// Two pictures of the same neurons, in the order of the checkpoint and gathered into experts with the shared
/// set first, and a legend.
class PartitionPicture : public QWidget {
  Q_OBJECT
 public:
  explicit PartitionPicture(QWidget* parent = nullptr);

  /// `partition`: the expert of every neuron, -1 for the shared set. `faint`: a newer one is on its way.
  void show_partition(std::vector<int> partition, bool faint);
  /// Shows a sentence in place of the picture.
  void show_text(const QString& text);
  const std::vector<int>& partition() const { return partition_; }

  /// One row for each neuron, with its expert.
  Rows numbers() const;
  /// Saves PNG, PDF or CSV, depending on the extension of the path. Replaces the file atomically; emits
  /// `failed` when it cannot.
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
  int experts_ = 0;            // number of routed experts
  bool faint_ = false;
  QString text_;
};

}  // namespace ladimo::ui
