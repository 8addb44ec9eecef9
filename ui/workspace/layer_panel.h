// The table of layers with a search field above and the selected layers' slider below.
#pragma once

#include <QWidget>

class QLabel;
class QLineEdit;
class QTableView;

namespace ladimo::ui {

class LayerModel;
class LayerSlider;
class PolicyEditor;

class LayerPanel : public QWidget {
  Q_OBJECT
 public:
  explicit LayerPanel(PolicyEditor& editor, QWidget* parent = nullptr);

  void select_layer(int layer);
  int selected_layer() const;
  /// Gives the search field the focus.
  void find();
  /// The panel is as wide as its table needs.
  QSize sizeHint() const override;

 signals:
  void layer_selected(int layer);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  class Search;
  void make_table(const PolicyEditor& editor);
  void fit_table();
  void make_search();
  void follow_current();
  void follow_selection();
  void recolour();

  LayerModel* layers_;
  Search* sorted_;
  QLineEdit* search_;
  QTableView* table_;
  QLabel* message_;  // says that nothing matches the search, or that saving failed
  LayerSlider* slider_;
  int shown_ = 0;  // the layer that was selected last
};

}  // namespace ladimo::ui
