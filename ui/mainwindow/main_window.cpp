#include "ui/mainwindow/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenuBar>
#include <QMessageBox>
#include <QMimeData>
#include <QStackedWidget>

#include "base/error.h"
#include "base/version.h"
#include "ui/engine/engine_process.h"
#include "ui/mainwindow/message_page.h"
#include "ui/mainwindow/run_page.h"
#include "ui/mainwindow/spacing.h"
#include "ui/models/run_summary.h"
#include "ui/settings/settings.h"

namespace ladimo::ui {
namespace {

/// The folder that was dropped: itself, or the one that holds a dropped file. Empty when it is not local.
QString dropped_folder(const QMimeData& data) {
  if (data.urls().isEmpty()) return {};
  const QFileInfo dropped(data.urls().first().toLocalFile());
  return dropped.isDir() ? dropped.filePath() : dropped.path();
}

QString name_of(const QString& folder) { return QFileInfo(QDir(folder).absolutePath()).fileName(); }

}  // namespace

MainWindow::MainWindow(Engine engine, QWidget* parent)
    : QMainWindow(parent),
      engine_(std::move(engine)),
      pages_(new QStackedWidget),
      message_(new MessagePage),
      run_(new RunPage) {
  pages_->addWidget(message_);
  pages_->addWidget(run_);
  setCentralWidget(pages_);
  setAcceptDrops(true);
  make_menus();
  connect(message_, &MessagePage::clicked, this, &MainWindow::press_button);
  const int space = spacing(*this);
  resize(170 * space, 96 * space);
  restoreGeometry(remembered(keys::window_geometry));
  show_start();
}

MainWindow::~MainWindow() = default;

void MainWindow::make_menus() {
  QMenu* file = menuBar()->addMenu(tr("&File"));
  file->addAction(tr("&Open run…"), QKeySequence::Open, this, &MainWindow::choose_run);
  recent_ = file->addMenu(tr("Open &recent run"));
  connect(recent_, &QMenu::aboutToShow, this, &MainWindow::fill_recent);
  file->addAction(tr("Re&load"), QKeySequence::Refresh, this, &MainWindow::reload);
  file->addSeparator();
  file->addAction(tr("&Quit"), QKeySequence::Quit, this, &QWidget::close);
  QMenu* help = menuBar()->addMenu(tr("&Help"));
  help->addAction(tr("&About LaDiMo Studio"), this, &MainWindow::about);
}

void MainWindow::fill_recent() {
  recent_->clear();
  for (const QString& run : recent(keys::recent_runs, engine_.host))
    recent_->addAction(QDir::toNativeSeparators(run), this, [this, run] { open_run(run); });
  if (recent_->isEmpty()) recent_->addAction(tr("No run has been opened yet"))->setEnabled(false);
}

void MainWindow::choose_run() {
  const QString folder =
      QFileDialog::getExistingDirectory(this, tr("Open run"), remembered(keys::last_folder));
  if (folder.isEmpty()) return;
  remember(keys::last_folder, QFileInfo(folder).path());
  open_run(folder);
}

void MainWindow::reload() {
  if (!folder_.isEmpty()) open_run(folder_);
}

void MainWindow::about() {
  QMessageBox::about(this, tr("About LaDiMo Studio"),
                     tr("<h3>LaDiMo Studio %1</h3><p>Turns a dense language model into a sparse "
                        "Mixture-of-Experts model, after LaDiMo (arXiv 2408.04278).</p>"
                        "<p>GPL-3.0-or-later. Made with Qt and QCustomPlot.</p>")
                         .arg(QLatin1String(version())));
}

// The message page has one button: it stops what is going on, or else opens a run.
void MainWindow::press_button() {
  if (job_ && job_->running()) {
    job_->cancel();
  } else {
    choose_run();
  }
}

void MainWindow::show_start() {
  setWindowTitle(tr("LaDiMo Studio"));
  message_->show_message({.title = tr("No run is open"),
                          .sentence = tr("Open the folder of a finished run, or drop it onto this window."),
                          .hint = tr("A run is made with: ladimo convert MODEL -o RUN --text FILE"),
                          .button = tr("Open run…")});
  pages_->setCurrentWidget(message_);
}

void MainWindow::open_run(const QString& folder) {
  folder_ = QDir(folder).absolutePath();
  setWindowTitle(tr("%1 – LaDiMo Studio").arg(name_of(folder_)));
  message_->show_message({.title = tr("Reading %1").arg(name_of(folder_)),
                          .sentence = QDir::toNativeSeparators(folder_),
                          .hint = {},
                          .button = tr("Stop"),
                          .busy = true});
  pages_->setCurrentWidget(message_);
  job_ = std::make_unique<EngineProcess>(engine_);
  connect(job_.get(), &EngineProcess::finished, this, &MainWindow::finish);
  job_->start({QStringLiteral("show"), folder_});
}

void MainWindow::finish(const Outcome& outcome) {
  MessagePage::Message message{.title = tr("%1 could not be opened").arg(name_of(folder_)),
                               .sentence = outcome.sentence,
                               .hint = outcome.hint,
                               .button = tr("Open another run…"),
                               .failed = true};
  if (outcome.kind == Outcome::Kind::canceled) {
    message.title = tr("%1 was not opened").arg(name_of(folder_));
    message.failed = false;
  }
  if (outcome.done()) {
    try {
      run_->show_run(read_summary(outcome.output));
      pages_->setCurrentWidget(run_);
      remember_recent(keys::recent_runs, folder_, engine_.host);
      return;
    } catch (const Error& error) {
      message.sentence = QString::fromUtf8(error.what());
      message.hint = QString::fromStdString(error.hint());
    }
  }
  message_->show_message(message);
  pages_->setCurrentWidget(message_);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (!dropped_folder(*event->mimeData()).isEmpty()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) { open_run(dropped_folder(*event->mimeData())); }

void MainWindow::closeEvent(QCloseEvent* event) {
  remember(keys::window_geometry, saveGeometry());
  QMainWindow::closeEvent(event);
}

}  // namespace ladimo::ui
