// The form that says what to measure: which text, how much of it, under which policy.
#pragma once

#include <QStringList>
#include <QWidget>

#include "policy/policy_file.h"
#include "ui/engine/engine.h"

class QComboBox;
class QLineEdit;
class QPushButton;
class QRadioButton;
class QSpinBox;

namespace ladimo::ui {

class PolicyEditor;

class EvaluationRequestForm : public QWidget {
  Q_OBJECT
 public:
  EvaluationRequestForm(PolicyEditor& editor, const Engine& engine, QWidget* parent = nullptr);

  /// Files to measure on; none: the run's own held-out text.
  QStringList text() const;
  qint64 tokens() const;  // 0: all tokens of the text
  /// The chosen policy with its predicted numbers.
  Policy policy() const;
  /// Why nothing can be measured yet; empty when ready.
  QString why_not() const;

 signals:
  void changed();

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  void lay_out();
  void list_policies();
  void choose_files();
  void set_files(const QStringList& files);

  PolicyEditor& editor_;
  bool remote_;
  QRadioButton* held_out_;
  QRadioButton* own_;
  QLineEdit* files_;
  QPushButton* choose_;
  QSpinBox* tokens_;
  QComboBox* policy_;
};

}  // namespace ladimo::ui
