// The names of the wizard's pages at its side, with the current one marked.
#pragma once

#include <QStringList>
#include <QWidget>

namespace ladimo::ui {

class StepSidebar : public QWidget {
  Q_OBJECT
 public:
  explicit StepSidebar(QStringList names, QWidget* parent = nullptr);
  void set_current(int index);

  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QStringList names_;
  int current_ = 0;
};

}  // namespace ladimo::ui
