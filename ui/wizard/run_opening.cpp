#include "ui/wizard/run_opening.h"

#include <nlohmann/json.hpp>

#include "ui/engine/answer.h"
#include "ui/engine/lexicon.h"
#include "ui/models/run_data.h"

namespace ladimo::ui {

RunOpening::RunOpening(Engine engine, QString run) : engine_(std::move(engine)), run_(std::move(run)) {}

RunOpening::RunOpening(Engine engine, QString run, QStringList arguments, Plan plan)
    : engine_(std::move(engine)),
      run_(std::move(run)),
      arguments_(std::move(arguments)),
      plan_(std::move(plan)) {}

void RunOpening::start() { ask({QStringLiteral("show"), run_}, &RunOpening::read_run_there); }

void RunOpening::ask(const QStringList& arguments, void (RunOpening::*answer)(const QByteArray&)) {
  process_ = std::make_unique<EngineProcess>(engine_);
  connect(process_.get(), &EngineProcess::finished, this, [this, answer](const Outcome& outcome) {
    process_.release()->deleteLater();  // deleteLater: it is the sender
    if (outcome.output.isEmpty()) {
      emit failed(outcome.sentence, outcome.hint);
      return;
    }
    try {
      (this->*answer)(outcome.output);
    } catch (const Error& error) {
      emit failed(QString::fromUtf8(error.what()), in_window_words(error.hint()));
    }
  });
  process_->start(arguments);
}

void RunOpening::read_run_there(const QByteArray& json) {
  const RunData run = read_run(json, run_);
  records_ = run.records();
  if (plan_) return finish(*plan_);
  const QString model = QString::fromStdString(run.recipe.model.string());
  arguments_ = {QStringLiteral("convert"), model, QStringLiteral("-o"), run_};
  ask({QStringLiteral("plan"), model, QStringLiteral("-o"), run_}, &RunOpening::read_plan_there);
}

void RunOpening::read_plan_there(const QByteArray& json) {
  const Plan plan = plan_from_json(parse_answer(json));
  if (!plan.problems.empty()) throw Refusal(plan.problems);
  finish(plan);
}

void RunOpening::finish(const Plan& plan) {
  emit opened(arguments_, ConversionState(plan.steps, plan.recipe.layers, records_));
}

}  // namespace ladimo::ui
