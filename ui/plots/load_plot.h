// How often each routed expert runs, against the 1/E of an even load; and, where the text came from several
// files, how often on each of them.
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
  /// One file of the calibration text: [E] share of its tokens for which the expert is on.
  struct Text {
    QString name;
    std::vector<double> load;
  };
  /// [E] share of the tokens for which the expert is on; empty shows the empty state.
  void set_load(std::vector<double> load, std::vector<Text> texts = {});
  /// Which mark stands for which text: "○ tales.txt  ◆ books.txt". Rich text.
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
