// A conversion as its events tell it: everything the distillation page shows is read from here. No widgets,
// no process, no clock of its own, so that recorded streams test it.
#pragma once

#include <optional>
#include <vector>

#include <QStringList>

#include "base/events.h"
#include "policy/histogram.h"
#include "run/run_folder.h"
#include "ui/wizard/step_list_model.h"

namespace ladimo::ui {

struct LossPoint {
  double step = 0;
  double value = 0;  // normalised squared error
};

struct LayerState {
  enum class Status { waiting, running, done };
  int layer = 0;
  Status status = Status::waiting;
  std::string what = {};  // part at work: "partition", "router", ...
  std::optional<double> loss_before = {};
  std::optional<double> loss_after = {};
  double seconds = 0;                    // 0 where a finished layer's time is not known
  std::vector<LossPoint> training = {};  // of the distillation, by rising step
  std::vector<LossPoint> held_out = {};
  HistogramCounts counts = {};           // routing weights so far
  std::vector<double> expert_load = {};  // [E] so far
};

class ConversionState {
 public:
  ConversionState() = default;
  /// `steps`: the plan's; `layers`: to be converted, rising; `finished`: those that the run holds already.
  ConversionState(std::vector<PlanStep> steps, const std::vector<int>& layers,
                  const std::vector<LayerRecord>& finished = {});

  /// The engine was started (again): what is not finished waits.
  void start(double now_s);
  /// The engine ended; `completed`: with everything done.
  void stop(double now_s, bool completed);
  void apply(const Event& event, double now_s);

  /// With the time spent in the one at work.
  std::vector<StepState> steps(double now_s) const;
  const std::vector<LayerState>& layers() const { return layers_; }
  /// The layer at work or the last that was; -1 before the first.
  int current_layer() const { return current_; }
  const LayerState* layer(int layer) const;
  int finished_layers() const;
  const QStringList& log() const { return log_; }
  const QStringList& warnings() const { return warnings_; }

  /// "Layer 6 · 7 of 32 · distilling · 3 of 5 min": what, how far, how long.
  QString sentence(double now_s) const;
  /// 0 ... 1 of all steps, by the plan's times.
  double share(double now_s) const;
  /// Seconds to go, by the plan's times and how they have held so far; < 0 while nothing can be said.
  double seconds_left(double now_s) const;
  /// Spent in this and earlier starts that this state has seen.
  double seconds_spent(double now_s) const;

 private:
  void hear(const StepEvent& event, double now_s);
  void hear(const ProgressEvent& event, double now_s);
  void hear(const LossEvent& event, double now_s);
  void hear(const HistogramEvent& event, double now_s);
  void hear(const SampleEvent& event, double now_s);
  void hear(const LayerEvent& event, double now_s);
  void hear(const WarningEvent& event, double now_s);
  template <class Other>
  void hear(const Other&, double) {}

  void close_step(double now_s);
  LayerState* begin_layer(int layer, double now_s);
  LayerState* find(int layer);
  const StepState* running_step() const;
  bool converting() const;
  double planned_share(double now_s) const;
  double layer_share(double now_s) const;
  double step_share(const StepState& step, double now_s) const;
  double expected_layer_seconds() const;
  QString layer_sentence(double now_s) const;
  QString step_sentence(const StepState& step, double now_s) const;
  void note(double now_s, const QString& line);

  std::vector<StepState> steps_;
  std::vector<LayerState> layers_;
  int running_ = -1;      // index of the step at work
  int current_ = -1;      // layer
  int resumed_ = 0;       // layers that were finished when the steps' times were planned
  double started_s_ = 0;  // the engine
  double spent_s_ = 0;    // before this start
  double step_started_s_ = 0;
  double layer_started_s_ = 0;
  double furthest_ = 0;                    // share that was shown
  std::optional<ProgressEvent> progress_;  // of the step, where it is not about layers
  bool running_engine_ = false;
  QStringList log_, warnings_;
};

/// "partition" -> "gathering neurons into experts", ...
QString part_in_words(const std::string& what);

}  // namespace ladimo::ui
