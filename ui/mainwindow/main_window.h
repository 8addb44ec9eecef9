// The one window: start page, wizard, an opened run.
#pragma once

#include <QMainWindow>

#include "ui/engine/engine.h"
#include "ui/models/numbers.h"

class QMenu;
class QMimeData;
class QStackedWidget;
class QUndoGroup;

namespace ladimo::ui {

class ConversionWizard;
class Leaving;
class MessageBar;
class RunPages;
class StartPage;

class MainWindow : public QMainWindow {
  Q_OBJECT
 public:
  explicit MainWindow(Engine engine = Engine::chosen(), QWidget* parent = nullptr);
  ~MainWindow() override;

  /// Opens a folder as what it is: a run, a model (in the wizard) or an exported model. A folder of another
  /// machine is assumed to be a run.
  void open(const QString& folder);
  /// Reads the run in the background and shows it.
  void open_run(const QString& folder) { open_run(folder, engine_for(folder)); }
  /// Opens the wizard, with `model` already chosen unless it is empty.
  void new_conversion(const QString& model = {}) { open_model(model, engine_for(model)); }
  void show_start();
  /// At the start of the program: the first finished run that opens is shown with the tour, unless it was
  /// seen before.
  void greet();
  /// The session ends. `may_ask`: whether the person can still be asked. Returns false while something would
  /// be lost; the window closes once it is saved.
  bool end_session(bool may_ask);

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void closeEvent(QCloseEvent* event) override;

 private:
  void make_file_menu();
  void make_edit_menu();
  void make_view_menu();
  void make_policy_menu();
  void make_help_menu();
  void fill_recent(QMenu& menu);
  QString ask_for_run(const Engine& engine, const QString& title);
  void choose_run();
  void choose_run_to_compare();
  void choose_model();
  void choose_settings();
  void open_run(const QString& folder, const Engine& engine);
  void open_model(const QString& folder, const Engine& engine);
  void show_missing(const QString& folder);
  void reload();
  void explain_focused();
  void take_tour();
  void start_tour();
  void show_page(QWidget* page, const QString& title);
  void show_wizard(ConversionWizard* wizard);
  void welcome_run(RunPages& run);
  void follow_step(const RunPages& run);
  Engine engine_for(const QString& folder) const;

  Engine engine_;
  MessageBar* bar_;
  Leaving* leaving_;
  QStackedWidget* pages_;
  StartPage* start_;
  ConversionWizard* wizard_ = nullptr;  // null while it is not open
  RunPages* run_ = nullptr;             // null while no run is open
  QUndoGroup* undo_;
  bool tour_due_ = false;    // with the next run that opens
  QMenu* view_ = nullptr;    // commands of an open run
  QMenu* policy_ = nullptr;  // commands of an open run
};

}  // namespace ladimo::ui
