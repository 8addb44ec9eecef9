// The state of a conversion, built from its events; the distillation page shows it. It has no widgets, no
// process and no clock, so that tests can replay recorded events.
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
  double value = 0;  // squared error, normalised
};

struct LayerState {
  enum class Status { waiting, running, done };
  int layer = 0;
  Status status = Status::waiting;
  std::string what = {};  // part in progress: "partition", "router", ...
  std::optional<double> loss_before = {};
  std::optional<double> loss_after = {};
  double seconds = 0;                    // 0 where it is not known
  std::vector<LossPoint> training = {};  // losses of the distillation, by ascending step
  std::vector<LossPoint> held_out = {};
  HistogramCounts counts = {};           // routing weights so far
  std::vector<double> expert_load = {};  // [E], of the rows so far
};

class ConversionState {
 public:
  ConversionState() = default;
  /// `steps` come from the plan, `layers` are those to convert, in ascending order; `finished` are those that
  /// the run already has.
  ConversionState(std::vector<PlanStep> steps, const std::vector<int>& layers,
                  const std::vector<LayerRecord>& finished = {});

  /// The engine was started, for the first time or again.
  void start(double now_s);
  /// The engine ended. `completed`: everything is done.
  void stop(double now_s, bool completed);
  void apply(const Event& event, double now_s);

  /// The steps, with the time spent so far in the running one.
  std::vector<StepState> steps(double now_s) const;
  const std::vector<LayerState>& layers() const { return layers_; }
  /// The layer in progress, or the last one; -1 before the first.
  int current_layer() const { return current_; }
  const LayerState* layer(int layer) const;
  int finished_layers() const;
  const QStringList& log() const { return log_; }
  const QStringList& warnings() const { return warnings_; }

  /// "Layer 6 · 7 of 32 · distilling · 3 of 5 min": what, how far, how long.
  QString sentence(double now_s) const;
  /// How much is done, 0 ... 1, weighted by the times of the plan.
  double share(double now_s) const;
  /// Estimated seconds left, from the plan's times and the pace so far; < 0 while unknown.
  double seconds_left(double now_s) const;
  /// Seconds spent in all starts that this state has seen.
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
  /// Time spent in steps, and how much of the plan it took.
  struct Pace {
    double seconds = 0, share = 0;
  };
  Pace pace(double now_s) const;
  double layer_share(double now_s) const;
  double step_share(const StepState& step, double now_s) const;
  double expected_layer_seconds() const;
  QString layer_sentence(double now_s) const;
  QString step_sentence(const StepState& step, double now_s) const;
  void note(double now_s, const QString& line);

  std::vector<StepState> steps_;
  std::vector<LayerState> layers_;
  int running_ = -1;      // index of the running step
  int current_ = -1;      // index of the layer in progress or the last one
  int resumed_ = 0;       // layers that were finished when the plan was made
  double started_s_ = 0;  // when the engine was started
  double spent_s_ = 0;    // seconds spent in earlier starts
  double step_started_s_ = 0;
  double layer_started_s_ = 0;
  double furthest_ = 0;                    // largest share so far
  Pace pace_;                              // of earlier starts
  std::optional<double> begun_s_;          // when the first step of this start began
  double begun_share_ = 0;                 // how much was done then
  std::optional<ProgressEvent> progress_;  // progress of the running step, unless it is about layers
  bool running_engine_ = false;
  QStringList log_, warnings_;
};

/// "partition" -> "gathering neurons into experts", ...
QString part_in_words(const std::string& what);

}  // namespace ladimo::ui
