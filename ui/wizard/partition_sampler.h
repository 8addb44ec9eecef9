// The partition that one layer would get, drawn by the engine while the knobs move.
#pragma once

#include <memory>
#include <vector>

#include <QObject>
#include <QStringList>
#include <QTimer>

#include "ui/engine/engine_process.h"

namespace ladimo::ui {

/// Waits until the request has been still for a moment; drops what an earlier one still answers.
class PartitionSampler : public QObject {
  Q_OBJECT
 public:
  explicit PartitionSampler(Engine engine, QObject* parent = nullptr);

  /// `plan_arguments` as conversion_arguments gives them for `plan`. The same request again changes nothing,
  /// unless it failed.
  void request(const QStringList& plan_arguments, int layer);
  /// Nothing is wanted now; `why` is what stands in the picture's place.
  void rest(const QString& why);

  /// For every neuron its expert, -1 for the shared set; empty while there is none.
  const std::vector<int>& partition() const { return partition_; }
  int layer() const { return layer_; }
  bool drawing() const { return timer_.isActive() || process_ != nullptr; }
  /// Why there is no partition; empty otherwise.
  const QString& problem() const { return problem_; }

 signals:
  void changed();

 private:
  void start();
  void finish(const Outcome& outcome);

  Engine engine_;
  QTimer timer_;
  QStringList arguments_;
  int layer_ = 0;
  std::vector<int> partition_;
  QString problem_;
  std::unique_ptr<EngineProcess> process_;
};

}  // namespace ladimo::ui
