#include "ui/wizard/partition_sampler.h"

namespace ladimo::ui {
namespace {

constexpr int still_ms = 400;

}  // namespace

PartitionSampler::PartitionSampler(Engine engine, QObject* parent)
    : QObject(parent), engine_(std::move(engine)) {
  timer_.setSingleShot(true);
  timer_.setInterval(still_ms);
  connect(&timer_, &QTimer::timeout, this, &PartitionSampler::start);
}

void PartitionSampler::request(const QStringList& plan_arguments, int layer) {
  const QStringList arguments =
      plan_arguments + QStringList{QStringLiteral("--sample"), QString::number(layer)};
  if (arguments == arguments_) return;
  arguments_ = arguments;
  layer_ = layer;
  problem_.clear();
  EngineProcess::dismiss(std::move(process_), *this);
  timer_.start();
  emit changed();
}

void PartitionSampler::rest(const QString& why) {
  if (arguments_.isEmpty() && problem_ == why) return;
  arguments_.clear();
  partition_.clear();
  problem_ = why;
  timer_.stop();
  EngineProcess::dismiss(std::move(process_), *this);
  emit changed();
}

void PartitionSampler::start() {
  process_ = std::make_unique<EngineProcess>(engine_);
  connect(process_.get(), &EngineProcess::sample, this,
          [this](const SampleEvent& sample) { partition_ = sample.partition; });
  connect(process_.get(), &EngineProcess::finished, this, &PartitionSampler::finish);
  process_->start(arguments_);
}

void PartitionSampler::finish(const Outcome& outcome) {
  process_.release()->deleteLater();  // deleteLater: it is the sender
  if (!outcome.done()) {
    arguments_.clear();  // so that the same request can be made again
    partition_.clear();
    problem_ = outcome.sentence + ' ' + outcome.hint;
  }
  emit changed();
}

}  // namespace ladimo::ui
