// How often each routed expert runs, compared with the 1/E of an even load. If the text came from several
// files, it also shows how often each expert runs on each file.
#pragma once

#include <vector>

#include "ui/plots/plot.h"

class QCPBars;
class QCPGraph;
class QCPItemStraightLine;

namespace ladimo::ui {

class LoadPlot : public Plot {
  Q_OBJECT
 public:
  explicit LoadPlot(QWidget* parent = nullptr);
  /// One file of the calibration text, with the share of its tokens for which each expert is on, [E].
  struct Text {
    QString name;
    std::vector<double> load;
  };
  /// The share of the tokens for which each expert is on, [E]. If none ever is, the empty state is shown.
  void set_load(std::vector<double> load, std::vector<Text> texts = {});
  /// The legend of the marks as rich text: "○ tales.txt  ◆ books.txt".
  QString legend() const;
  Rows numbers() const override;

 protected:
  void recolour(const Theme& theme) override;
  QString read_out(double x, double y) const override;

 private:
  void draw_texts();
  void style_texts();

  std::vector<double> load_;
  std::vector<Text> texts_;
  QCPBars* bars_;
  std::vector<QCPGraph*> marks_;  // one for every text
  QCPItemStraightLine* even_;
};

}  // namespace ladimo::ui
