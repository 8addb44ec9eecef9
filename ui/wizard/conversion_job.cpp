#include "ui/wizard/conversion_job.h"

namespace ladimo::ui {

ConversionJob::ConversionJob(Engine engine, QObject* parent) : QObject(parent), process_(std::move(engine)) {
  clock_.start();
  connect(&process_, &EngineProcess::step, this, &ConversionJob::hear);
  connect(&process_, &EngineProcess::progress, this, &ConversionJob::hear);
  connect(&process_, &EngineProcess::loss, this, &ConversionJob::hear);
  connect(&process_, &EngineProcess::histogram, this, &ConversionJob::hear);
  connect(&process_, &EngineProcess::sample, this, &ConversionJob::hear);
  connect(&process_, &EngineProcess::layer, this, &ConversionJob::hear);
  connect(&process_, &EngineProcess::warning, this, &ConversionJob::hear);
  connect(&process_, &EngineProcess::finished, this, &ConversionJob::end);
}

ConversionJob::~ConversionJob() = default;

void ConversionJob::prepare(const QStringList& arguments, const QString& run, ConversionState state) {
  arguments_ = arguments;
  run_ = run;
  state_ = std::move(state);
  outcome_ = {};
  set_phase(Phase::ready);
}

void ConversionJob::start() {
  outcome_ = {};
  awake_ = std::make_unique<KeepAwake>(tr("A model is being converted"));
  state_.start(now_s());
  set_phase(Phase::running);
  process_.start(arguments_);
}

void ConversionJob::pause() {
  if (phase_ != Phase::running) return;
  set_phase(Phase::stopping);
  process_.cancel();
}

void ConversionJob::hear(const Event& event) { state_.apply(event, now_s()); }

void ConversionJob::end(const Outcome& outcome) {
  outcome_ = outcome;
  awake_.reset();
  state_.stop(now_s(), outcome.done());
  set_phase(outcome.done()                            ? Phase::finished
            : outcome.kind == Outcome::Kind::canceled ? Phase::paused
                                                      : Phase::failed);
  if (outcome.done()) emit finished();
}

void ConversionJob::set_phase(Phase phase) {
  phase_ = phase;
  emit phase_changed();
}

}  // namespace ladimo::ui
