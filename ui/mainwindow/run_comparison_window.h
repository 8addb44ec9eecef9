// Two runs side by side: how they were made, what each reaches at the same cost, and their layers.
#pragma once

#include <memory>

#include <QDialog>

#include "ui/engine/engine.h"
#include "ui/engine/outcome.h"
#include "ui/models/run_data.h"

class QStackedWidget;

namespace ladimo::ui {

class MessagePage;
class RunReader;

class RunComparisonWindow : public QDialog {
  Q_OBJECT
 public:
  /// Reads the run in `other` and compares it with `run`. At first the layers are compared at the share
  /// `activated` of the parameters. Deletes itself when it is closed.
  RunComparisonWindow(std::shared_ptr<const RunData> run, double activated, const Engine& engine,
                      const QString& other, QWidget* parent = nullptr);
  ~RunComparisonWindow() override;

 signals:
  /// The other run could not be read; the person wants to choose another.
  void other_run_wanted();

 private:
  void show_failure(const QString& sentence, const QString& hint);
  void compare(const std::shared_ptr<const RunData>& other);
  void press_button();

  std::shared_ptr<const RunData> run_;
  double activated_;
  QString other_;  // folder
  std::unique_ptr<RunReader> reader_;
  MessagePage* message_;
  QStackedWidget* pages_;
};

}  // namespace ladimo::ui
