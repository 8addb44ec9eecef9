// The menus of the main window.
#include <QApplication>
#include <QDialog>
#include <QDir>
#include <QMenuBar>
#include <QUndoGroup>

#include "ui/mainwindow/about_dialog.h"
#include "ui/mainwindow/diagnostics_dialog.h"
#include "ui/mainwindow/leaving.h"
#include "ui/mainwindow/main_window.h"
#include "ui/mainwindow/run_pages.h"
#include "ui/mainwindow/run_tour.h"
#include "ui/mainwindow/words.h"
#include "ui/models/numbers.h"
#include "ui/settings/demo.h"
#include "ui/settings/settings.h"
#include "ui/widgets/help_bubble.h"
#include "ui/widgets/message_bar.h"

namespace ladimo::ui {

void MainWindow::make_file_menu() {
  QMenu* file = menuBar()->addMenu(tr("&File"));
  file->addAction(tr("&New conversion…"), QKeySequence::New, this, [this] { new_conversion(); });
  file->addAction(tr("&Open run…"), QKeySequence::Open, this, &MainWindow::choose_run);
  file->addAction(tr("Open &model…"), QKeySequence(tr("Ctrl+Shift+O")), this, &MainWindow::choose_model);
  QMenu* recent = file->addMenu(tr("Open &recent"));
  connect(recent, &QMenu::aboutToShow, this, [this, recent] { fill_recent(*recent); });
  if (!demo_run().isEmpty()) file->addAction(tr("Open &demo run"), this, [this] { open_run(demo_run()); });
  file->addSeparator();
  file->addAction(tr("Re&load"), QKeySequence::Refresh, this, &MainWindow::reload);
  file->addAction(tr("&Close"), QKeySequence::Close, this, &MainWindow::show_start);
  file->addSeparator();
  file->addAction(tr("&Settings…"), QKeySequence(tr("Ctrl+,")), this, &MainWindow::choose_settings);
  file->addSeparator();
  file->addAction(tr("&Quit"), QKeySequence::Quit, this, &QWidget::close);
}

void MainWindow::fill_recent(QMenu& menu) {
  menu.clear();
  for (const QString& run : recent(keys::recent_runs, engine_.host))
    menu.addAction(QDir::toNativeSeparators(run), this, [this, run] { open_run(run); });
  const QStringList models = recent(keys::recent_models, engine_.host);
  if (!models.isEmpty()) menu.addSection(tr("Models"));
  for (const QString& model : models)
    menu.addAction(QDir::toNativeSeparators(model), this, [this, model] { new_conversion(model); });
  if (menu.isEmpty()) menu.addAction(tr("No recent items"))->setEnabled(false);
}

void MainWindow::make_edit_menu() {
  QMenu* edit = menuBar()->addMenu(tr("&Edit"));
  QAction* undo = undo_->createUndoAction(this);
  undo->setShortcut(QKeySequence::Undo);
  QAction* redo = undo_->createRedoAction(this);
  redo->setShortcut(QKeySequence::Redo);
  edit->addActions({undo, redo});
}

void MainWindow::make_view_menu() {
  view_ = menuBar()->addMenu(tr("&View"));
  const QStringList steps = RunPages::step_names();
  for (int step = 0; step < steps.size(); ++step) {
    const QKeySequence shortcut(QStringLiteral("Ctrl+%1").arg(step + 1));
    view_->addAction(steps[step], shortcut, this, [this, step] {
      if (run_ && run_->undo_stack()) run_->show_step(step);
    });
  }
  view_->addSeparator();
  view_
      ->addAction(tr("&Compare with another run…"), this,
                  [this] {
                    if (run_ && run_->undo_stack()) choose_run_to_compare();
                  })
      ->setObjectName(QStringLiteral("compare_action"));
}

void MainWindow::make_policy_menu() {
  policy_ = menuBar()->addMenu(tr("&Policy"));
  const auto add = [this](const QString& name, const QKeySequence& shortcut, void (RunPages::*command)()) {
    policy_->addAction(name, shortcut, this, [this, command] {
      if (run_ && run_->undo_stack()) (run_->*command)();
    });
  };
  add(tr("&Save as the run's policy"), QKeySequence::Save, &RunPages::save);
  add(tr("&Measure"), QKeySequence(tr("Ctrl+M")), &RunPages::measure);
  add(tr("&Find layer"), QKeySequence::Find, &RunPages::find_layer);
  add(tr("&Reset pins"), QKeySequence(tr("Ctrl+Shift+R")), &RunPages::reset_pins);
  add(tr("&Compare output"), QKeySequence(tr("Ctrl+G")), &RunPages::show_texts);
}

void MainWindow::make_help_menu() {
  QMenu* help = menuBar()->addMenu(tr("&Help"));
  const auto add = [&](const QString& text, const char* name, const auto& act) {
    QAction* action = help->addAction(text, this, act);
    action->setObjectName(QLatin1String(name));
    return action;
  };
  add(tr("&Explain this panel"), "explain_action", &MainWindow::explain_focused)
      ->setShortcut(QKeySequence::HelpContents);
  add(tr("&Glossary"), "words_action", [this] { make_words_dialog(this)->show(); });
  add(tr("Take the &tour"), "tour_action", &MainWindow::take_tour);
  help->addSeparator();
  add(tr("&Diagnostics report…"), "diagnostics_action", [this] {
    (new DiagnosticsDialog(run_ ? run_->engine() : engine_, run_ ? run_->run() : nullptr, this))->show();
  });
  add(tr("&About LaDiMo Studio"), "about_action",
      [this] { (new AboutDialog(run_ ? run_->engine() : engine_, this))->show(); });
}

/// Without a panel that has help, all of it is shown.
void MainWindow::explain_focused() {
  const QWidget* focused = QApplication::focusWidget();
  if (!focused || !explain(*focused, *focused)) make_words_dialog(this)->show();
}

void MainWindow::take_tour() {
  if (run_ && run_->undo_stack()) return start_tour();
  if (demo_run().isEmpty()) {
    bar_->show_message(
        {.sentence = tr("The tour needs a finished run."), .hint = tr("Open one, then take it again.")});
    return;
  }
  leaving_->leave([this] {
    tour_due_ = true;
    open_run(demo_run());
  });
}

void MainWindow::start_tour() {
  tour_due_ = false;
  remember(keys::tour_seen, true);
  delete findChild<Tour*>();
  run_->show_step(RunPages::policy);
  new Tour(stops_of_run(*run_), *this);
}

}  // namespace ladimo::ui
