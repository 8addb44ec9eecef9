// The partition of one FFN: every neuron a cell, coloured by the expert it goes to.
#pragma once

#include <vector>

#include <QWidget>

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

  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;

 private:
  struct Grid;
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
