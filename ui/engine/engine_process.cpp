#include "ui/engine/engine_process.h"

#include <type_traits>
#include <variant>

#include "base/error.h"
#include "run/event_json.h"

namespace ladimo::ui {
namespace {

constexpr QByteArrayView result_start = "{\"event\":\"result\"";

/// A result event without its key `event`. It is not parsed, because the tables of a run are megabytes.
QByteArray without_kind(const QByteArray& line) {
  const QByteArray rest = line.mid(result_start.size());
  return '{' + (rest.startsWith(',') ? rest.mid(1) : rest);
}

}  // namespace

EngineProcess::EngineProcess(Engine engine, QObject* parent) : QObject(parent), process_(std::move(engine)) {
  connect(&process_, &LineProcess::line, this, &EngineProcess::read);
  connect(&process_, &LineProcess::ended, this, &EngineProcess::end);
}

void EngineProcess::start(const QStringList& arguments) {
  errors_.clear();
  result_.clear();
  process_.start(arguments + QStringList{QStringLiteral("--events")});
  process_.expect_answer(true);
}

void EngineProcess::cancel() { process_.stop(); }

void EngineProcess::dismiss(std::unique_ptr<EngineProcess> job, QObject& owner) {
  if (!job) return;
  job->disconnect();
  job->setParent(&owner);
  connect(job.get(), &EngineProcess::finished, job.get(), &QObject::deleteLater);
  job.release()->cancel();
}

bool EngineProcess::running() const { return process_.running(); }

void EngineProcess::read(const QByteArray& line) {
  if (line.startsWith(result_start)) {
    result_ = without_kind(line);
    return;
  }
  try {
    hear(parse_event({line.constData(), static_cast<std::size_t>(line.size())}));
  } catch (const Refusal& refusal) {
    errors_.push_back({refusal.what(), refusal.hint(), {}});
  }
}

void EngineProcess::hear(const Event& event) {
  std::visit(
      [this](const auto& e) {
        using E = std::decay_t<decltype(e)>;
        if constexpr (std::is_same_v<E, StepEvent>) emit step(e);
        if constexpr (std::is_same_v<E, ProgressEvent>) emit progress(e);
        if constexpr (std::is_same_v<E, LossEvent>) emit loss(e);
        if constexpr (std::is_same_v<E, HistogramEvent>) emit histogram(e);
        if constexpr (std::is_same_v<E, SampleEvent>) emit sample(e);
        if constexpr (std::is_same_v<E, LayerEvent>) emit layer(e);
        if constexpr (std::is_same_v<E, TokenEvent>) emit token(e);
        if constexpr (std::is_same_v<E, MeasureEvent>) emit measure(e);
        if constexpr (std::is_same_v<E, WarningEvent>) emit warning(e);
        if constexpr (std::is_same_v<E, ErrorEvent>) errors_.push_back(e);
        if constexpr (std::is_same_v<E, ResultEvent>) result_ = QByteArray::fromStdString(e.json);
      },
      event);
}

void EngineProcess::end(const Ending& ending) {
  Outcome outcome = outcome_of(ending, errors_, result_);
  emit finished(outcome);
}

}  // namespace ladimo::ui
