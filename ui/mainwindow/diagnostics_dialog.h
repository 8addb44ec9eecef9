// Shows the report for somebody who looks for a fault, to be read before it is copied or saved.
#pragma once

#include <QDialog>

#include "ui/engine/engine.h"
#include "ui/models/diagnostics.h"

class QPlainTextEdit;

namespace ladimo::ui {

class Note;
struct EngineAnswer;

class DiagnosticsDialog : public QDialog {
  Q_OBJECT
 public:
  /// `run`: the open one; null if none is open. Deletes itself when it is closed.
  DiagnosticsDialog(const Engine& engine, const RunData* run, QWidget* parent = nullptr);
  /// Saves what is shown. Replaces the file atomically.
  void save(const QString& path);

 private:
  void show_report(const EngineAnswer& answer);
  void copy();
  void ask_and_save();

  Facts run_;
  QString where_;  // the engine runs
  Personal personal_;
  QPlainTextEdit* report_;
  Note* said_;
};

}  // namespace ladimo::ui
