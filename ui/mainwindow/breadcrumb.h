// The steps from a model to its export, which are also buttons that lead to them.
#pragma once

#include <QStringList>
#include <QWidget>

class QButtonGroup;

namespace ladimo::ui {

class Breadcrumb : public QWidget {
  Q_OBJECT
 public:
  explicit Breadcrumb(const QStringList& steps, QWidget* parent = nullptr);
  void set_current(int step);
  int current() const;

 signals:
  void chosen(int step);

 private:
  QButtonGroup* buttons_;
};

}  // namespace ladimo::ui
