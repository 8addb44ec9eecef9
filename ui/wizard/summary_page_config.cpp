#include "ui/wizard/summary_page_config.h"

#include <algorithm>

#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>

#include <nlohmann/json.hpp>

#include "ui/engine/answer.h"
#include "ui/engine/lexicon.h"
#include "ui/wizard/conversion_arguments.h"

namespace ladimo::ui {

QString proposed_run_folder(const Recipe& recipe, const Engine& engine) {
  const QString model = QString::fromStdString(recipe.model_name());
  const QString name = recipe.layers.empty()
                           ? model + QStringLiteral("-inputs")
                           : QStringLiteral("%1-%2x%3").arg(model).arg(recipe.experts).arg(recipe.shared);
  const QString runs = QStringLiteral("ladimo-runs");
  if (engine.remote()) return runs + '/' + name;
  const QDir home(QStandardPaths::writableLocation(QStandardPaths::HomeLocation));
  QString folder = home.filePath(runs + '/' + name);
  for (int i = 2; QFileInfo::exists(folder); ++i)
    folder = home.filePath(QStringLiteral("%1/%2-%3").arg(runs, name).arg(i));
  return folder;
}

SummaryPageConfig::SummaryPageConfig(Engine engine, QObject* parent)
    : PageConfig(parent), engine_(std::move(engine)) {}

void SummaryPageConfig::set_choices(const Recipe& recipe, const ModelConfig& model) {
  recipe_ = recipe;
  model_ = model;
  if (!chosen_) {
    const bool begun = conversion_arguments(QStringLiteral("convert"), recipe, model, begun_run_) == begun_;
    run_ = begun ? begun_run_ : proposed_run_folder(recipe, engine_);
  }
  forget_plan();
}

void SummaryPageConfig::begin() {
  begun_run_ = run_;
  begun_ = arguments(QStringLiteral("convert"));
  planned_.clear();
  plan_.reset();
}

void SummaryPageConfig::set_run_folder(const QString& typed) {
  const QString folder = engine_.in_full(typed);
  if (folder == run_) return;
  run_ = folder;
  chosen_ = true;
  forget_plan();
}

void SummaryPageConfig::forget_plan() {
  if (arguments(QStringLiteral("plan")) != planned_) {
    planned_.clear();
    plan_.reset();
    failure_.clear();
    EngineProcess::dismiss(std::move(process_), *this);
  }
  emit changed();
}

void SummaryPageConfig::make_plan() {
  const QStringList wanted = arguments(QStringLiteral("plan"));
  if (run_.isEmpty() || wanted == planned_) return;
  planned_ = wanted;
  process_ = std::make_unique<EngineProcess>(engine_);
  connect(process_.get(), &EngineProcess::finished, this, &SummaryPageConfig::finish);
  process_->start(wanted);
  emit changed();
}

void SummaryPageConfig::finish(const Outcome& outcome) {
  process_.release()->deleteLater();  // deleteLater: it is the sender
  try {
    if (outcome.output.isEmpty())
      failure_ << outcome.sentence + ' ' + outcome.hint;
    else
      plan_ = plan_from_json(parse_answer(outcome.output));
  } catch (const Error& error) {
    failure_ << QString::fromUtf8(error.what()) + ' ' + in_window_words(error.hint());
  }
  if (!plan_) planned_.clear();  // so that the same plan can be tried again
  emit changed();
}

// The engine cannot tell: settings equal to the model's defaults are not sent, and it would use the run's.
QString SummaryPageConfig::other_settings() const {
  if (!plan_->resumes) return {};
  Recipe chosen = recipe_;
  chosen.model = plan_->recipe.model;  // the engine compares model and text by content
  chosen.model_fingerprint = plan_->recipe.model_fingerprint;
  chosen.text = plan_->recipe.text;
  chosen.text_fingerprints = plan_->recipe.text_fingerprints;
  if (chosen.compute == "auto") chosen.compute = plan_->recipe.compute;  // resolved by the engine
  if (chosen.finish.block < 0) chosen.finish.block = plan_->recipe.finish.block;
  std::erase_if(chosen.layers,
                [this](int layer) { return std::ranges::binary_search(plan_->constant_layers, layer); });
  QStringList lines;
  for (const std::string& line : differences(plan_->recipe, chosen)) lines << QString::fromStdString(line);
  if (lines.isEmpty()) return {};
  return tr("That folder contains a run with other settings (%1). Choose another folder, or open that run to "
            "continue it.")
      .arg(lines.join(QStringLiteral("; ")));
}

QStringList SummaryPageConfig::problems() const {
  if (!plan_) return failure_;
  QStringList lines;
  if (const QString other = other_settings(); !other.isEmpty()) lines << other;
  for (const Problem& problem : plan_->problems)
    lines << QString::fromStdString(problem.message) + ' ' + in_window_words(problem.hint);
  return lines;
}

QStringList SummaryPageConfig::arguments(const QString& command) const {
  return conversion_arguments(command, recipe_, model_, run_);
}

QString SummaryPageConfig::reason() const {
  if (run_.isEmpty()) return tr("Choose a run folder.");
  if (planning()) return tr("Making the plan…");
  if (const QStringList lines = problems(); !lines.isEmpty()) return lines.join('\n');
  return plan_ ? QString() : tr("There is no plan yet.");
}

}  // namespace ladimo::ui
