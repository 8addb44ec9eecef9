#include "ui/mainwindow/main_window.h"

#include <utility>

#include <QApplication>
#include <QCloseEvent>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QMenu>
#include <QMimeData>
#include <QSessionManager>
#include <QStackedWidget>
#include <QUndoGroup>
#include <QVBoxLayout>

#include "checkpoint/gguf.h"
#include "ui/mainwindow/folder_kind.h"
#include "ui/mainwindow/leaving.h"
#include "ui/mainwindow/model_card.h"
#include "ui/mainwindow/run_pages.h"
#include "ui/mainwindow/settings_dialog.h"
#include "ui/mainwindow/start_page.h"
#include "ui/mainwindow/window_place.h"
#include "ui/settings/demo.h"
#include "ui/settings/number_format.h"
#include "ui/settings/settings.h"
#include "ui/widgets/calm_wheel.h"
#include "ui/widgets/context_key.h"
#include "ui/widgets/message_bar.h"
#include "ui/widgets/scrolling.h"
#include "ui/widgets/spacing.h"
#include "ui/wizard/conversion_wizard.h"

namespace ladimo::ui {
namespace {

constexpr QSize smallest(960, 600);  // every page is usable in that

/// A folder or GGUF file itself, or the folder of another file.
QString place_of(const QFileInfo& chosen) {
  const bool itself = chosen.isDir() || is_gguf(chosen.filePath().toStdString());
  return itself ? chosen.filePath() : chosen.path();
}

/// Where the dropped file leads. Empty when it is not local.
QString dropped_place(const QMimeData& data) {
  return data.urls().isEmpty() ? QString() : place_of(QFileInfo(data.urls().first().toLocalFile()));
}

}  // namespace

MainWindow::MainWindow(Engine engine, QWidget* parent)
    : QMainWindow(parent),
      engine_(std::move(engine)),
      bar_(new MessageBar),
      leaving_(new Leaving(*bar_, this)),
      pages_(new QStackedWidget),
      start_(new StartPage),
      undo_(new QUndoGroup(this)) {
  use_number_format();
  setLocale(QLocale());  // it has the one of before, and its children take it over
  auto* content = new QWidget;
  auto* layout = new QVBoxLayout(content);
  layout->setContentsMargins({});
  layout->setSpacing(0);
  layout->addWidget(bar_);
  layout->addWidget(scrolling(pages_), 1);
  pages_->addWidget(start_);
  setCentralWidget(content);
  setAcceptDrops(true);
  new CalmWheel(this);
  new ContextKey(this);
  make_file_menu();
  make_edit_menu();
  make_view_menu();
  make_policy_menu();
  make_help_menu();
  connect(start_, &StartPage::convert_wanted, this, &MainWindow::new_conversion);
  connect(start_, &StartPage::model_wanted, this, &MainWindow::choose_model);
  connect(start_, &StartPage::settings_wanted, this, &MainWindow::choose_settings);
  connect(start_, &StartPage::run_wanted, this, [this](const QString& run) {
    if (run.isEmpty())
      choose_run();
    else
      open_run(run);
  });
  connect(qApp, &QGuiApplication::commitDataRequest, this, [this](QSessionManager& manager) {
    if (end_session(manager.allowsInteraction())) return;
    manager.cancel();
    manager.release();
  });
  const int space = spacing(*this);
  show_start();
  auto* place = new WindowPlace(*this, QSize(204 * space, 120 * space), smallest);
  place->restore(remembered(keys::window_geometry));
}

MainWindow::~MainWindow() = default;

// The demo is on this machine, wherever the engine runs.
Engine MainWindow::engine_for(const QString& folder) const {
  const bool demo = !folder.isEmpty() && (folder == demo_run() || folder == demo_model() ||
                                          folder == Smollm2::of_program().model());
  return demo && engine_.remote() ? Engine::beside_studio() : engine_;
}

void MainWindow::show_page(QWidget* page, const QString& title) {
  bar_->clear();
  QWidget* last = pages_->currentWidget();
  wizard_ = qobject_cast<ConversionWizard*>(page);
  run_ = qobject_cast<RunPages*>(page);
  leaving_->set_page(wizard_, run_);
  if (pages_->indexOf(page) < 0) pages_->addWidget(page);
  pages_->setCurrentWidget(page);
  if (last != start_ && last != page) {
    pages_->removeWidget(last);
    last->deleteLater();
  }
  undo_->setActiveStack(nullptr);
  for (QMenu* menu : {view_, policy_}) menu->menuAction()->setEnabled(false);
  setWindowTitle(title.isEmpty() ? tr("LaDiMo Studio") : tr("%1 – LaDiMo Studio").arg(title));
}

void MainWindow::show_start() {
  leaving_->leave([this] {
    start_->refresh(engine_);
    show_page(start_, {});
  });
}

void MainWindow::open(const QString& folder) {
  if (engine_.remote()) return open_run(folder);
  const QString native = QDir::toNativeSeparators(folder);
  const QString path = place_named(folder);
  switch (kind_of(path)) {
    case FolderKind::run:
      return open_run(path);
    case FolderKind::model:
      return new_conversion(path);
    case FolderKind::exported:
      return leaving_->leave([this, path] { show_page(model_card(path), QFileInfo(path).fileName()); });
    case FolderKind::unknown:
      return bar_->show_message(
          {.tone = MessageBar::Tone::error,
           .sentence = tr("%1 is neither a run nor a model.").arg(native),
           .hint = tr(
               "A run folder contains recipe.json. A model is a folder with config.json or a GGUF file.")});
    case FolderKind::missing:
      return show_missing(path);
  }
}

/// Removes a missing folder from the recent ones.
void MainWindow::show_missing(const QString& folder) {
  for (const auto& key : {keys::recent_runs, keys::recent_models}) forget_recent(key, folder, {});
  start_->refresh(engine_);
  bar_->show_message({.tone = MessageBar::Tone::error,
                      .sentence = tr("%1 does not exist.").arg(QDir::toNativeSeparators(folder)),
                      .hint = tr("It may have been moved or deleted.")});
}

// The engine that made a run also reads it, even if the settings have changed.
void MainWindow::open_run(const QString& folder, const Engine& engine) {
  leaving_->leave([this, folder, engine] {
    auto* run = new RunPages(engine, engine.in_full(folder));
    connect(run, &RunPages::opened, this, [this, run] { welcome_run(*run); });
    connect(run, &RunPages::refused, this,
            [run] { forget_recent(keys::recent_runs, run->folder(), run->engine().host); });
    connect(run, &RunPages::reload_wanted, this, &MainWindow::reload);
    connect(run, &RunPages::other_run_wanted, this, &MainWindow::choose_run);
    connect(run, &RunPages::run_to_compare_wanted, this, &MainWindow::choose_run_to_compare);
    connect(run, &RunPages::model_wanted, this,
            [this, run](const QString& model) { open_model(model, run->engine()); });
    connect(run, &RunPages::continue_wanted, this, [this, run](const QString& unfinished) {
      show_wizard(ConversionWizard::resume(run->engine(), unfinished));
    });
    show_page(run, run->title());
  });
}

void MainWindow::welcome_run(RunPages& run) {
  setWindowTitle(tr("%1 – LaDiMo Studio").arg(run.title()));
  if (run.folder() != demo_run()) remember_recent(keys::recent_runs, run.folder(), run.engine().host);
  if (!run.undo_stack()) return;
  undo_->addStack(run.undo_stack());
  connect(&run, &RunPages::step_shown, this, [this, &run] { follow_step(run); });
  follow_step(run);
  for (QMenu* menu : {view_, policy_}) menu->menuAction()->setEnabled(true);
  if (tour_due_) start_tour();
}

/// Undo works on the page that shows what it changes. Elsewhere a policy would move unseen.
void MainWindow::follow_step(const RunPages& run) {
  undo_->setActiveStack(run.current_step() == RunPages::policy ? run.undo_stack() : nullptr);
}

void MainWindow::greet() { tour_due_ = !remembered(keys::tour_seen); }

void MainWindow::open_model(const QString& model, const Engine& engine) {
  if (!model.isEmpty() && !engine.remote() && !QFileInfo::exists(model)) return show_missing(model);
  leaving_->leave([this, model, engine] {
    auto* wizard = new ConversionWizard(engine);
    if (!model.isEmpty()) {
      wizard->set_model(model);
      if (model == demo_model())
        wizard->use_own_text();
      else
        remember_recent(keys::recent_models, model, engine.host);
    }
    show_wizard(wizard);
  });
}

void MainWindow::show_wizard(ConversionWizard* wizard) {
  wizard->setWindowFlags(Qt::Widget);  // a page of this window, not a window
  connect(wizard, &ConversionWizard::run_finished, this,
          [this, wizard](const QString& run) { open_run(run, wizard->engine()); });
  connect(wizard, &ConversionWizard::conversion_started, this,
          [wizard](const QString& run) { remember_recent(keys::recent_runs, run, wizard->engine().host); });
  connect(wizard, &QDialog::rejected, this, &MainWindow::show_start);
  show_page(wizard, wizard->windowTitle());
}

/// Empty where no run was chosen.
QString MainWindow::ask_for_run(const Engine& engine, const QString& title) {
  if (engine.remote()) return QInputDialog::getText(this, title, tr("Run folder on %1:").arg(engine.host));
  const QString folder = QFileDialog::getExistingDirectory(this, title, remembered(keys::last_folder));
  if (!folder.isEmpty()) remember(keys::last_folder, QFileInfo(folder).path());
  return folder;
}

void MainWindow::choose_run() {
  const QString folder = ask_for_run(engine_, tr("Open run"));
  if (folder.isEmpty()) return;
  if (engine_.remote() || kind_of(folder) != FolderKind::model) return open(folder);
  bar_->show_message({.tone = MessageBar::Tone::warning,
                      .sentence = tr("%1 is a model, not a run.").arg(QDir::toNativeSeparators(folder)),
                      .hint = tr("A run is made by converting a model."),
                      .actions = {tr("Not now"), tr("Convert it…")},
                      .answer = [this, folder](int action) {
                        if (action == 1) new_conversion(folder);
                      }});
}

void MainWindow::choose_run_to_compare() {
  const QString folder = ask_for_run(run_->engine(), tr("Compare with run"));
  if (!folder.isEmpty()) run_->compare_with(run_->engine().in_full(folder));
}

void MainWindow::choose_model() {
  const QString title = tr("Open model");
  if (engine_.remote()) {
    const QString model =
        QInputDialog::getText(this, title, tr("Model folder or GGUF file on %1:").arg(engine_.host));
    if (!model.isEmpty()) new_conversion(model);
    return;
  }
  const QFileInfo chosen(QFileDialog::getOpenFileName(this, title, remembered(keys::last_folder),
                                                      tr("Models (config.json *.gguf);;All files (*)")));
  if (chosen.filePath().isEmpty()) return;
  const QString model = place_of(chosen);
  remember(keys::last_folder, QFileInfo(model).path());
  open(model);
}

void MainWindow::choose_settings() {
  SettingsDialog dialog(this);
  if (dialog.exec() != QDialog::Accepted) return;
  engine_ = Engine::chosen();
  start_->refresh(engine_);
}

void MainWindow::reload() {
  if (run_) open_run(run_->folder(), run_->engine());
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (!dropped_place(*event->mimeData()).isEmpty()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  const QString folder = dropped_place(*event->mimeData());
  if (!engine_.remote()) return open(folder);
  bar_->show_message(
      {.tone = MessageBar::Tone::warning,
       .sentence = tr("%1 is on this machine, but the engine runs on %2.")
                       .arg(QDir::toNativeSeparators(folder), engine_.host),
       .hint = tr("Enter the path of a folder on %1, or choose this machine under File ▸ Settings.")
                   .arg(engine_.host)});
}

void MainWindow::closeEvent(QCloseEvent* event) {
  remember(keys::window_geometry, saveGeometry());
  if (leaving_->free()) return QMainWindow::closeEvent(event);
  event->ignore();
  leaving_->leave([this] { close(); });
}

bool MainWindow::end_session(bool may_ask) {
  return leaving_->end_session(may_ask, [this] { close(); });
}

}  // namespace ladimo::ui
