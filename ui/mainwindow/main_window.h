// The window: opens a run and shows it.
#pragma once

#include <memory>

#include <QMainWindow>

#include "ui/engine/engine.h"

class QMenu;
class QStackedWidget;

namespace ladimo::ui {

class EngineProcess;
class MessagePage;
class RunPage;
struct Outcome;

class MainWindow : public QMainWindow {
  Q_OBJECT
 public:
  explicit MainWindow(Engine engine = Engine::chosen(), QWidget* parent = nullptr);
  ~MainWindow() override;

  /// Reads the run in the background and shows it; whatever ran before is dropped.
  void open_run(const QString& folder);

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void closeEvent(QCloseEvent* event) override;

 private:
  void make_menus();
  void fill_recent();
  void choose_run();
  void reload();
  void about();
  void press_button();
  void show_start();
  void finish(const Outcome& outcome);

  Engine engine_;
  QString folder_;  // of the run that is open or being opened
  std::unique_ptr<EngineProcess> job_;
  QStackedWidget* pages_;
  MessagePage* message_;
  RunPage* run_;
  QMenu* recent_ = nullptr;
};

}  // namespace ladimo::ui
