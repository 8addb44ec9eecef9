// An open run: the breadcrumb and the page of each step. Reads the run in the background, with pages for
// loading, failed and unfinished.
#pragma once

#include <memory>

#include <QWidget>

#include "ui/engine/engine.h"
#include "ui/models/run_data.h"

class QScrollArea;
class QStackedWidget;
class QTabWidget;
class QUndoStack;

namespace ladimo::ui {

class Breadcrumb;
class ExportPanel;
class MessageBar;
class MessagePage;
class PolicyEditor;
class PolicySaving;
class RunReader;
class RunWatch;
class ServeClient;
class WorkspacePage;
struct NamedPolicy;
struct Outcome;

class RunPages : public QWidget {
  Q_OBJECT
 public:
  enum Step { model, text, experts, distil, policy, evaluate, export_model };
  static QStringList step_names();

  /// Starts reading the run.
  RunPages(Engine engine, QString folder, QWidget* parent = nullptr);
  ~RunPages() override;

  const QString& folder() const { return folder_; }
  const Engine& engine() const { return engine_; }
  /// "llama-2-7b · run 2026-11-23"; the folder's name until the run is read.
  QString title() const;
  /// What was read; null until then.
  const RunData* run() const { return run_.get(); }
  bool is_open() const { return run_ != nullptr; }
  /// The undo steps of the policy. Null until the run is open and finished.
  QUndoStack* undo_stack() const;
  /// Whether something is being measured, generated or written.
  bool busy() const;
  /// Whether closing would lose a chosen policy.
  bool unsaved() const;
  /// Whether the run's folder was moved or removed since the run was opened.
  bool gone() const;
  /// Saves the chosen policy as the run's own; where the folder is gone, in a file that the person chooses.
  /// Asks in the page what to do if that cannot be done. Precondition: unsaved().
  void save_policy();
  /// Saves it without a question under a new name. Precondition: unsaved().
  void rescue_policy();
  /// Precondition: the run is open and finished.
  void show_step(int step);
  Step current_step() const;

  /// The commands of the policy menu. Precondition: the run is open and finished.
  void measure();
  void find_layer();
  void reset_pins();
  void show_texts();
  /// Saves the chosen policy as the run's own and says so in the page.
  void save();
  /// Opens a window that shows this run beside the one in `folder`.
  void compare_with(const QString& folder);

 signals:
  /// The chosen policy was saved, in the run or elsewhere.
  void policy_saved();
  /// The policy that was to be saved is not, because that failed or the person decided so.
  void policy_not_saved();
  /// The engine saves the policy after what it does now.
  void policy_waits(const QString& why);
  /// The person wants to see what another program changed.
  void reload_wanted();
  /// The run was read; it may be unfinished.
  void opened();
  /// Another page is shown.
  void step_shown();
  void continue_wanted(const QString& folder);
  void other_run_wanted();
  /// The run that was to be compared with this one cannot be read: another is wanted.
  void run_to_compare_wanted();
  /// The folder holds no run that can be opened.
  void refused();
  /// The person wants to open the folder as a model.
  void model_wanted(const QString& folder);

 private:
  void read();
  void accept_run(const std::shared_ptr<const RunData>& run);
  void open_pages(std::shared_ptr<const RunData> run);
  void show_failure(const QString& title, const Outcome& outcome);
  void show_unfinished();
  void press_button();
  void make_saving();
  void tell_saved(const NamedPolicy& saved);
  void tell_gone();
  void tell_changed(const QStringList& what);
  void ask_for_original();
  void choose_original();
  QWidget* make_page(int step);
  QWidget* make_workspace();
  QWidget* make_evaluation();
  WorkspacePage& workspace();

  Engine engine_;
  QString folder_;
  std::unique_ptr<RunReader> reader_;
  std::shared_ptr<const RunData> run_;
  std::unique_ptr<PolicyEditor> editor_;
  std::unique_ptr<ServeClient> serve_;
  std::unique_ptr<PolicySaving> saving_;
  std::unique_ptr<RunWatch> watch_;  // null for a run of another machine
  Breadcrumb* breadcrumb_;
  MessageBar* bar_;  // above all pages
  QStackedWidget* pages_;
  MessagePage* message_;
  QTabWidget* evaluation_ = nullptr;  // null until the page is first shown
  ExportPanel* export_ = nullptr;     // null until the page is first shown
  std::vector<QScrollArea*> steps_;   // one for each Step, null until it is first shown
  bool may_be_model_ = false;
  bool tells_saved_ = false;  // the next policy that is saved was asked for by save()
};

}  // namespace ladimo::ui
