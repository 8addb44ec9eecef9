#include "ui/mainwindow/run_pages.h"

#include <QApplication>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QStackedWidget>
#include <QTabWidget>
#include <QVBoxLayout>

#include "ui/engine/lexicon.h"
#include "ui/engine/serve_client.h"
#include "ui/mainwindow/breadcrumb.h"
#include "ui/mainwindow/message_page.h"
#include "ui/mainwindow/run_comparison_window.h"
#include "ui/mainwindow/run_facts.h"
#include "ui/mainwindow/run_reader.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/models/run_watch.h"
#include "ui/panels/evaluation_panel.h"
#include "ui/panels/export_panel.h"
#include "ui/panels/generation_panel.h"
#include "ui/panels/policy_saving.h"
#include "ui/panels/speed_panel.h"
#include "ui/settings/settings.h"
#include "ui/widgets/message_bar.h"
#include "ui/widgets/scrolling.h"
#include "ui/workspace/workspace_page.h"

namespace ladimo::ui {
namespace {

QString name_of(const QString& folder) { return QFileInfo(folder).fileName(); }

}  // namespace

QStringList RunPages::step_names() {
  return {tr("Model"), tr("Text"), tr("Experts"), tr("Distil"), tr("Policy"), tr("Evaluate"), tr("Export")};
}

RunPages::RunPages(Engine engine, QString folder, QWidget* parent)
    : QWidget(parent),
      engine_(std::move(engine)),
      folder_(std::move(folder)),
      breadcrumb_(new Breadcrumb(step_names())),
      bar_(new MessageBar),
      pages_(new QStackedWidget),
      message_(new MessagePage),
      steps_(static_cast<std::size_t>(step_names().size()), nullptr) {
  setObjectName(QStringLiteral("run view"));
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins({});
  layout->setSpacing(0);
  layout->addWidget(breadcrumb_);
  layout->addWidget(bar_);
  layout->addWidget(pages_, 1);
  pages_->addWidget(message_);
  bar_->setObjectName(QStringLiteral("run message"));
  breadcrumb_->hide();
  connect(breadcrumb_, &Breadcrumb::chosen, this, &RunPages::show_step);
  connect(message_, &MessagePage::clicked, this, &RunPages::press_button);
  read();
}

// The pages refer to the run and to serve, so they are destroyed first.
RunPages::~RunPages() { delete pages_; }

QString RunPages::title() const {
  if (!run_) return name_of(folder_);
  return QString::fromStdString(run_->recipe.model_name()) + QStringLiteral(" · ") + run_->name();
}

QUndoStack* RunPages::undo_stack() const { return editor_ ? &editor_->undo() : nullptr; }

bool RunPages::busy() const { return (serve_ && serve_->busy()) || (export_ && export_->writing()); }

bool RunPages::unsaved() const { return editor_ && !RunHistory::of(*editor_).keeps_chosen(); }

bool RunPages::gone() const { return editor_ && RunHistory::of(*editor_).gone(); }

void RunPages::save_policy() { gone() ? saving_->choose_place() : saving_->save({{}, editor_->policy()}); }

void RunPages::save() {
  if (!unsaved()) return bar_->show_message({.sentence = tr("The policy is saved already.")});
  tells_saved_ = true;
  save_policy();
}

void RunPages::tell_saved(const NamedPolicy& saved) {
  if (!std::exchange(tells_saved_, false)) return;
  bar_->show_message({.sentence = saved.name.isEmpty() ? tr("The policy is saved as the run's policy.")
                                                       : tr("The policy is saved as “%1”.").arg(saved.name)});
}

void RunPages::rescue_policy() { saving_->rescue(); }

void RunPages::read() {
  message_->show_message({.title = tr("Reading %1").arg(name_of(folder_)),
                          .sentence = QDir::toNativeSeparators(folder_),
                          .hint = {},
                          .button = tr("Stop"),
                          .busy = true});
  reader_ = std::make_unique<RunReader>(engine_, folder_);
  connect(reader_.get(), &RunReader::read, this, &RunPages::accept_run);
  connect(reader_.get(), &RunReader::failed, this, [this](const Outcome& outcome) {
    const bool stopped = outcome.kind == Outcome::Kind::canceled;
    show_failure((stopped ? tr("%1 was not opened") : tr("%1 could not be opened")).arg(name_of(folder_)),
                 outcome);
  });
}

void RunPages::show_failure(const QString& title, const Outcome& outcome) {
  // The window cannot tell what kind of folder a remote one is.
  may_be_model_ = engine_.remote() && outcome.kind == Outcome::Kind::refused;
  message_->show_message({.title = title,
                          .sentence = outcome.sentence,
                          .hint = outcome.hint,
                          .button = may_be_model_ ? tr("Open it as a model…") : tr("Open another run…"),
                          .failed = outcome.kind != Outcome::Kind::canceled});
  if (outcome.kind == Outcome::Kind::refused) emit refused();
}

// Tables that do not fit each other may be noticed only when the pages are built.
void RunPages::accept_run(const std::shared_ptr<const RunData>& run) {
  try {
    open_pages(run);
    emit opened();
  } catch (const std::exception& error) {
    breadcrumb_->hide();
    pages_->setCurrentWidget(message_);
    watch_.reset();
    saving_.reset();
    serve_.reset();
    editor_.reset();
    run_.reset();
    show_failure(tr("%1 could not be opened").arg(name_of(folder_)), failure_of({problem_of(error)}));
  }
}

void RunPages::open_pages(std::shared_ptr<const RunData> run) {
  run_ = std::move(run);
  if (run_->tradeoff) {
    editor_ = std::make_unique<PolicyEditor>(run_, this);
    serve_ = std::make_unique<ServeClient>(engine_, folder_);
    connect(serve_.get(), &ServeClient::finished, this, [this](int, const Outcome& outcome) {
      if (outcome.original_missing) ask_for_original();
    });
    make_saving();
    breadcrumb_->show();
    show_step(policy);
  } else {
    show_unfinished();
  }
}

void RunPages::make_saving() {
  saving_ = std::make_unique<PolicySaving>(*editor_, *serve_, engine_, *bar_, this);
  connect(saving_.get(), &PolicySaving::saved, this, &RunPages::tell_saved);
  for (const auto not_there : {&PolicySaving::given_up, &PolicySaving::failed})
    connect(saving_.get(), not_there, this, [this] { tells_saved_ = false; });
  connect(saving_.get(), &PolicySaving::saved_elsewhere, this, [this] { tells_saved_ = false; });
  connect(saving_.get(), &PolicySaving::saved, this, &RunPages::policy_saved);
  connect(saving_.get(), &PolicySaving::saved_elsewhere, this, &RunPages::policy_saved);
  connect(saving_.get(), &PolicySaving::given_up, this, &RunPages::policy_not_saved);
  connect(saving_.get(), &PolicySaving::waits, this, &RunPages::policy_waits);
  if (engine_.remote()) return;
  watch_ = std::make_unique<RunWatch>(*editor_);
  connect(watch_.get(), &RunWatch::gone, this, &RunPages::tell_gone);
  connect(watch_.get(), &RunWatch::back, bar_,
          [this] { bar_->show_message({.sentence = tr("The run folder is back.")}); });
  connect(watch_.get(), &RunWatch::changed, this, &RunPages::tell_changed);
  connect(qApp, &QGuiApplication::applicationStateChanged, watch_.get(), &RunWatch::look);
}

// A question about a policy that could not be saved says already what is wrong.
void RunPages::tell_gone() {
  if (bar_->asks()) return;
  bar_->show_message({.tone = MessageBar::Tone::error,
                      .sentence = tr("The run folder was moved or deleted."),
                      .hint = tr("The current policy now exists only in this window."),
                      .actions = {tr("Not now"), tr("Save the policy elsewhere…"), tr("Open another run…")},
                      .answer = [this](int action) {
                        if (action == 1) saving_->choose_place();
                        if (action == 2) emit other_run_wanted();
                      }});
}

void RunPages::tell_changed(const QStringList& what) {
  if (bar_->asks()) return;
  bar_->show_message({.tone = MessageBar::Tone::warning,
                      .sentence = tr("Another program changed %1.").arg(what.join(tr(", "))),
                      .hint = tr("This window shows the run as it was when opened."),
                      .actions = {tr("Not now"), tr("Reload run")},
                      .answer = [this](int action) {
                        if (action == 1) emit reload_wanted();
                      }});
}

void RunPages::show_unfinished() {
  message_->show_message(
      {.title = tr("This run is not finished"),
       .sentence =
           tr("%1 of %2 layers are converted.").arg(run_->records().size()).arg(run_->recipe.layers.size()),
       .hint = tr("Finished layers are kept. The conversion continues from there."),
       .button = tr("Continue the conversion…")});
}

void RunPages::press_button() {
  if (run_)
    emit continue_wanted(folder_);
  else if (reader_->running())
    reader_->cancel();
  else if (may_be_model_)
    emit model_wanted(folder_);
  else
    emit other_run_wanted();
}

void RunPages::ask_for_original() {
  bar_->show_message({.tone = MessageBar::Tone::warning,
                      .sentence = tr("The original model of this run was not found."),
                      .hint = tr("It is needed to measure, generate and export."),
                      .actions = {tr("Not now"), tr("Locate…")},
                      .answer = [this](int action) {
                        if (action == 1) choose_original();
                      }});
}

void RunPages::choose_original() {
  const QString title = label_of(Setting::dense), last = remembered(keys::last_folder);
  const bool is_file = run_->recipe.model.extension() == ".gguf";
  const QString place =
      engine_.remote()
          ? QInputDialog::getText(this, title, tr("Model folder or GGUF file on %1:").arg(engine_.host))
      : is_file ? QFileDialog::getOpenFileName(this, title, last, tr("GGUF (*.gguf);;All files (*)"))
                : QFileDialog::getExistingDirectory(this, title, last);
  if (place.isEmpty()) return;
  serve_->set_original(place);
  bar_->show_message({.sentence = tr("The engine now uses the original at %1.").arg(place),
                      .hint = tr("Repeat the action that failed.")});
}

void RunPages::show_step(int step) {
  QScrollArea*& page = steps_[static_cast<std::size_t>(step)];
  if (!page) {
    page = scrolling(make_page(step));
    pages_->addWidget(page);
  }
  breadcrumb_->set_current(step);
  pages_->setCurrentWidget(page);
  emit step_shown();
}

WorkspacePage& RunPages::workspace() {
  show_step(policy);
  return static_cast<WorkspacePage&>(*steps_[policy]->widget());
}

void RunPages::measure() { workspace().measure(); }
void RunPages::find_layer() { workspace().find_layer(); }
void RunPages::reset_pins() { editor_->reset_pins(); }
void RunPages::show_texts() {
  show_step(evaluate);
  evaluation_->setCurrentIndex(1);
}

void RunPages::compare_with(const QString& folder) {
  if (folder == folder_)
    return bar_->show_message({.sentence = tr("This run is open already. Choose another one to compare.")});
  auto* window =
      new RunComparisonWindow(run_, editor_->policy().predicted.activated_fraction, engine_, folder, this);
  connect(window, &RunComparisonWindow::other_run_wanted, this, &RunPages::run_to_compare_wanted);
  window->show();
}

RunPages::Step RunPages::current_step() const { return static_cast<Step>(breadcrumb_->current()); }

QWidget* RunPages::make_page(int step) {
  switch (static_cast<Step>(step)) {
    case model:
      return model_facts_page(*run_);
    case text:
      return text_facts_page(*run_);
    case experts:
      return experts_facts_page(*run_);
    case distil:
      return distil_facts_page(*run_);
    case policy:
      return make_workspace();
    case evaluate:
      return make_evaluation();
    case export_model:
      export_ = new ExportPanel(run_, *editor_, *serve_, engine_, *saving_);
      connect(export_, &ExportPanel::original_missing, this, &RunPages::ask_for_original);
      return export_;
  }
  return nullptr;
}

QWidget* RunPages::make_workspace() {
  auto* page = new WorkspacePage(run_, *editor_, *serve_);
  connect(page, &WorkspacePage::save_wanted, this, &RunPages::save);
  return page;
}

QWidget* RunPages::make_evaluation() {
  auto* tabs = evaluation_ = new QTabWidget;
  tabs->setObjectName(QStringLiteral("evaluation tabs"));
  tabs->setDocumentMode(true);
  tabs->addTab(new EvaluationPanel(run_, *editor_, *serve_, engine_), tr("Evaluate against original"));
  tabs->addTab(new GenerationPanel(run_, *editor_, *serve_), tr("Compare output"));
  tabs->addTab(new SpeedPanel(*editor_, *serve_), tr("Speed"));
  return tabs;
}

}  // namespace ladimo::ui
