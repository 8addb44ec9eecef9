// The dialog that chooses where the engine runs.
#pragma once

#include <memory>

#include <QDialog>

#include "ui/engine/engine.h"

class QLabel;
class QLineEdit;
class QPushButton;
class QRadioButton;

namespace ladimo::ui {

class LineProcess;

class SettingsDialog : public QDialog {
  Q_OBJECT
 public:
  explicit SettingsDialog(QWidget* parent = nullptr);
  ~SettingsDialog() override;
  /// Writes the settings.
  void accept() override;

 private:
  Engine entered() const;
  void follow_choice();
  void test();

  QRadioButton* here_;
  QRadioButton* there_;
  QLineEdit* host_;
  QLineEdit* program_;
  QPushButton* test_;
  QLabel* answer_;
  QPushButton* ok_ = nullptr;
  std::unique_ptr<LineProcess> job_;
};

}  // namespace ladimo::ui
