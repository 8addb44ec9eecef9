#pragma once

#include <QTimer>

#include "ui/wizard/wizard_page.h"

class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QTableView;

namespace ladimo::ui {

class Note;
class StepListModel;
class SummaryPageConfig;

/// Page 4: what will happen, the folder it is written to, and the command that does the same.
class SummaryPage : public WizardPage {
  Q_OBJECT
 public:
  explicit SummaryPage(SummaryPageConfig& config, QWidget* parent = nullptr);
  bool isComplete() const override;

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void browse();
  void show_config();
  void show_beginning();

  SummaryPageConfig& config_;
  QLineEdit* folder_;
  QTimer still_;  // delays the plan until typing has stopped
  StepListModel* steps_;
  QTableView* table_;
  QLabel* totals_;
  QPlainTextEdit* command_;
  Note* reason_;
};

}  // namespace ladimo::ui
