#include "ui/wizard/conversion_wizard.h"

#include <QPushButton>

#include "ui/settings/settings.h"
#include "ui/widgets/help_bubble.h"
#include "ui/widgets/spacing.h"
#include "ui/wizard/distillation_page.h"
#include "ui/wizard/experts_page.h"
#include "ui/wizard/model_page.h"
#include "ui/wizard/run_opening.h"
#include "ui/wizard/step_sidebar.h"
#include "ui/wizard/summary_page.h"
#include "ui/wizard/text_page.h"

namespace ladimo::ui {

ConversionWizard::ConversionWizard(Engine engine, QWidget* parent)
    : QWizard(parent),
      engine_(engine),
      model_(engine),
      text_(engine),
      experts_(engine),
      summary_(engine),
      sampler_(engine),
      job_(engine),
      sidebar_(new StepSidebar({tr("Model"), tr("Text"), tr("Experts"), tr("Review"), tr("Distillation")})),
      distillation_(new DistillationPage(job_)) {
  setObjectName(QStringLiteral("conversion_wizard"));
  setWindowTitle(tr("New conversion"));
  setWizardStyle(QWizard::ModernStyle);
  setOption(QWizard::NoDefaultButton, false);
  setSideWidget(sidebar_);
  setPage(model_page, new ModelPage(model_));
  auto* text = new TextPage(text_);
  setPage(text_page, text);
  connect(text, &TextPage::counts_wanted, this, [this](const TextPageConfig::Counts& counts) {
    experts_.change([&](Recipe& recipe) {
      recipe.tokens = counts.tokens;
      recipe.held_out_tokens = counts.held_out_tokens;
    });
  });
  setPage(experts_page, new ExpertsPage(experts_, text_, sampler_));
  setPage(summary_page, new SummaryPage(summary_));
  setPage(distillation_page, distillation_);
  set_help(*page(model_page), Help::choose_model);
  set_help(*page(text_page), Help::choose_text);
  set_help(*page(experts_page), Help::choose_experts);
  set_help(*page(summary_page), Help::review);
  set_help(*page(distillation_page), Help::conversion);
  setOption(QWizard::HaveHelpButton);
  setButtonText(QWizard::HelpButton, tr("Help"));  // Alt+H opens the menu
  connect(this, &QWizard::helpRequested, this,
          [this] { explain(*currentPage(), *button(QWizard::HelpButton)); });
  setStartId(model_page);
  const int space = spacing(*this);
  resize(110 * space, 78 * space);

  connect_configs();
  connect(this, &QWizard::currentIdChanged, this, &ConversionWizard::enter);
  connect(distillation_, &DistillationPage::leave, this, [this] { QWizard::reject(); });
  connect(&job_, &ConversionJob::phase_changed, this, &ConversionWizard::tell_end);
}

ConversionWizard::~ConversionWizard() = default;

void ConversionWizard::tell_end() {
  if (job_.phase() == ConversionJob::Phase::finished) notify(*this, tr("Conversion finished"), job_.run());
  if (job_.phase() == ConversionJob::Phase::failed)
    notify(*this, tr("The conversion failed"), job_.outcome().sentence);
}

/// Passes choices made on one page on to the others.
void ConversionWizard::connect_configs() {
  connect(&model_, &PageConfig::changed, this, [this] {
    const auto& facts = model_.facts();
    if (facts == experts_.model()) return;
    experts_.set_model(facts);
    text_.set_model(facts);
  });
  connect(&text_, &PageConfig::changed, this, [this] {
    QStringList files;
    for (const auto& file : experts_.recipe().text) files << QString::fromStdString(file.string());
    const QStringList wanted = text_.self_text() ? QStringList() : text_.files();
    if (files != wanted) experts_.set_text(wanted);
  });
  connect(&summary_, &PageConfig::changed, this, [this] { experts_.set_run_folder(summary_.run_folder()); });
  connect(&experts_, &PageConfig::changed, this, [this] { text_.set_recipe(experts_.recipe()); });
}

void ConversionWizard::set_model(const QString& model) { model_.set_model(model); }
void ConversionWizard::use_own_text() { text_.set_self_text(true); }

void ConversionWizard::enter(int page) {
  sidebar_->set_current(page);
  // The Return key must not leave the wizard by accident.
  static_cast<QPushButton*>(button(QWizard::CancelButton))->setAutoDefault(false);
  if (page == experts_page || page == summary_page)
    summary_.set_choices(experts_.recipe(), experts_.model()->config);
  if (page == summary_page) summary_.make_plan();
  if (page != distillation_page)
    opening_.reset();
  else if (summary_.plan() && !job_.running())
    begin();
}

/// Starts the planned conversion. If the folder already holds the run, reads first what is finished.
void ConversionWizard::begin() {
  const Plan plan = *summary_.plan();
  const QString run = summary_.run_folder();
  const QStringList arguments = summary_.arguments(QStringLiteral("convert"));
  summary_.begin();
  if (plan.resumes) {
    open_run(std::make_unique<RunOpening>(engine_, run, arguments, plan));
    connect(opening_.get(), &RunOpening::opened, this, &ConversionWizard::start);
    return;
  }
  job_.prepare(arguments, run, ConversionState(plan.steps, plan.recipe.layers));
  start();
}

void ConversionWizard::start() {
  job_.start();
  emit conversion_started(job_.run());
}

ConversionWizard* ConversionWizard::resume(Engine engine, const QString& run, QWidget* parent) {
  auto* wizard = new ConversionWizard(std::move(engine), parent);
  wizard->setWindowTitle(tr("Continue conversion"));
  wizard->setStartId(distillation_page);
  wizard->open_run(std::make_unique<RunOpening>(wizard->engine_, run));
  return wizard;
}

void ConversionWizard::open_run(std::unique_ptr<RunOpening> opening) {
  opening_ = std::move(opening);
  connect(opening_.get(), &RunOpening::opened, this,
          [this](const QStringList& arguments, const ConversionState& state) {
            job_.prepare(arguments, opening_->run(), state);
          });
  connect(opening_.get(), &RunOpening::failed, distillation_, &DistillationPage::show_failure);
  distillation_->show_opening(opening_->run());
  opening_->start();
}

void ConversionWizard::reject() {
  if (job_.running())
    distillation_->ask_to_stop();
  else
    QWizard::reject();
}

void ConversionWizard::accept() {
  QWizard::accept();
  emit run_finished(job_.run());
}

}  // namespace ladimo::ui
