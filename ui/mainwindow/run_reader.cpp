#include "ui/mainwindow/run_reader.h"

namespace ladimo::ui {

RunReader::RunReader(const Engine& engine, const QString& folder, QObject* parent)
    : QObject(parent), folder_(folder), process_(engine) {
  connect(&process_, &EngineProcess::finished, this, &RunReader::accept);
  process_.start({QStringLiteral("show"), folder_});
}

bool RunReader::running() const { return process_.running() || parser_.running(); }

void RunReader::cancel() {
  if (process_.running()) return process_.cancel();
  parser_.stop();
  emit failed({Outcome::Kind::canceled, tr("Stopped."), {}, {}});
}

void RunReader::accept(const Outcome& outcome) {
  if (!outcome.done()) {
    emit failed(outcome);
    return;
  }
  using Run = std::shared_ptr<const RunData>;
  parser_.run<Run>(
      [json = outcome.output, folder = folder_](const Context&) -> Run {
        return std::make_shared<const RunData>(read_run(json, folder));
      },
      [this](const Run& run) { emit read(run); },
      [this](const std::vector<Problem>& problems) { emit failed(failure_of(problems)); });
}

}  // namespace ladimo::ui
