// The partition that a layer would get, which the engine computes while the settings change.
#pragma once

#include <memory>
#include <vector>

#include <QObject>
#include <QStringList>
#include <QTimer>

#include "ui/engine/engine_process.h"

namespace ladimo::ui {

/// Waits until no request has come for a moment, and drops the answers to earlier ones.
class PartitionSampler : public QObject {
  Q_OBJECT
 public:
  explicit PartitionSampler(Engine engine, QObject* parent = nullptr);

  /// `plan_arguments` come from conversion_arguments. Repeating a request changes nothing unless it failed.
  void request(const QStringList& plan_arguments, int layer);
  /// Drops the request; `why` is shown in place of the picture.
  void rest(const QString& why);

  /// The expert of every neuron, -1 for the shared set; empty while there is none.
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
