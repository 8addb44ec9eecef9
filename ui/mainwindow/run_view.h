// An opened run: the breadcrumb and the page of each of its steps. Reads the run in the background; loading,
// failed and unfinished are pages of it too.
#pragma once

#include <memory>

#include <QWidget>

#include "ui/engine/engine.h"
#include "ui/models/run_data.h"
#include "ui/wizard/worker.h"

class QStackedWidget;
class QUndoStack;

namespace ladimo::ui {

class Breadcrumb;
class EngineProcess;
class ExportPanel;
class MessagePage;
class PolicyEditor;
class ServeClient;
struct Outcome;

class RunView : public QWidget {
  Q_OBJECT
 public:
  enum Step { model, text, experts, distil, policy, evaluate, export_model };
  static QStringList step_names();

  /// Starts to read the run.
  RunView(Engine engine, QString folder, QWidget* parent = nullptr);
  ~RunView() override;

  const QString& folder() const { return folder_; }
  /// "llama-2-7b · run 2026-11-23"; the folder's name until the run is read.
  QString title() const;
  bool is_open() const { return run_ != nullptr; }
  /// Null until the run is open and finished.
  QUndoStack* undo_stack() const;
  /// Whether something is being measured, generated or written.
  bool busy() const;
  /// Precondition: the run is open and finished.
  void show_step(int step);
  Step current_step() const;

 signals:
  /// The run was read; it may be unfinished.
  void opened();
  void continue_wanted(const QString& folder);
  void other_run_wanted();

 private:
  void read();
  void accept_answer(const Outcome& outcome);
  void accept_run(std::shared_ptr<const RunData> run);
  void show_failure(const QString& title, const Outcome& outcome);
  void show_unfinished();
  void press_button();
  QWidget* make_page(int step);
  QWidget* make_evaluation();

  Engine engine_;
  QString folder_;
  std::unique_ptr<EngineProcess> reading_;
  std::shared_ptr<const RunData> run_;
  std::unique_ptr<PolicyEditor> editor_;
  std::unique_ptr<ServeClient> serve_;
  Worker parser_;
  Breadcrumb* breadcrumb_;
  QStackedWidget* pages_;
  MessagePage* message_;
  ExportPanel* export_ = nullptr;  // null until shown, as all of
  std::vector<QWidget*> steps_;    // these
};

}  // namespace ladimo::ui
