// Says that pinning a layer changed others, to keep the budget, and puts them back.
#pragma once

#include <QWidget>

class QLabel;
class QPushButton;

namespace ladimo::ui {

class PolicyEditor;

class OthersRow : public QWidget {
  Q_OBJECT
 public:
  explicit OthersRow(PolicyEditor& editor, QWidget* parent = nullptr);

 private:
  void follow();

  PolicyEditor& editor_;
  QLabel* told_;
  QPushButton* keep_;
};

}  // namespace ladimo::ui
