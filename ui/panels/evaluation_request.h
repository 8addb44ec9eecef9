// The form that says what to measure: which text, how much of it, which tasks, under which policy.
#pragma once

#include <QWidget>

#include "policy/policy_file.h"
#include "ui/engine/engine.h"
#include "ui/engine/serve_client.h"

class QComboBox;
class QRadioButton;
class QSpinBox;

namespace ladimo::ui {

class FileField;
class PolicyEditor;

class EvaluationRequestForm : public QWidget {
  Q_OBJECT
 public:
  EvaluationRequestForm(PolicyEditor& editor, const Engine& engine, QWidget* parent = nullptr);

  /// What to measure, under the chosen policy with its predicted numbers.
  ServeClient::Measuring request() const;
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
  Policy policy() const;

  PolicyEditor& editor_;
  QRadioButton* held_out_;
  QRadioButton* no_text_;
  QRadioButton* own_;
  FileField* files_;
  FileField* tasks_;
  QSpinBox* tokens_;
  QComboBox* policy_;
};

}  // namespace ladimo::ui
