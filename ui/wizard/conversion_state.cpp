#include "ui/wizard/conversion_state.h"

#include <algorithm>
#include <utility>

#include <QObject>

#include "ui/engine/lexicon.h"
#include "ui/models/numbers.h"

namespace ladimo::ui {
namespace {

constexpr double unfinished = 0.97;  // shown for a step that takes longer than expected

using Status = StepState::Status;

/// "3 of 5 min".
QString of_time(double spent_s, double expected_s) {
  if (expected_s <= spent_s) return whole_seconds(spent_s);
  return QObject::tr("%1 of about %2").arg(whole_seconds(spent_s), whole_seconds(expected_s));
}

}  // namespace

QString part_in_words(const std::string& what) {
  static const std::pair<const char*, const char*> words[] = {
      {"partition", QT_TRANSLATE_NOOP("QObject", "grouping neurons into experts")},
      {"router", QT_TRANSLATE_NOOP("QObject", "fitting the router")},
      {"compensation", QT_TRANSLATE_NOOP("QObject", "compensating skipped experts")},
      {"refit", QT_TRANSLATE_NOOP("QObject", "refitting")},
      {"distillation", QT_TRANSLATE_NOOP("QObject", "distilling")}};
  for (const auto& [name, sentence] : words)
    if (what == name) return QObject::tr(sentence);
  return QString::fromStdString(what);
}

ConversionState::ConversionState(std::vector<PlanStep> steps, const std::vector<int>& layers,
                                 const std::vector<LayerRecord>& finished) {
  for (PlanStep& step : steps) steps_.push_back({step, step.done ? Status::done : Status::waiting, 0});
  for (const int layer : layers) layers_.push_back({layer});
  for (const LayerRecord& record : finished)
    if (LayerState* layer = find(record.layer)) {
      layer->status = LayerState::Status::done;
      layer->loss_before = record.loss_before;
      layer->loss_after = record.loss_after;
    }
  resumed_ = finished_layers();
}

void ConversionState::start(double now_s) {
  started_s_ = now_s;
  running_engine_ = true;
  begun_s_.reset();
}

void ConversionState::stop(double now_s, bool completed) {
  if (!running_engine_) return;
  pace_ = pace(now_s);
  begun_s_.reset();
  close_step(now_s);
  spent_s_ += now_s - started_s_;
  running_engine_ = false;
  for (StepState& step : steps_)
    step.status = completed || step.status == Status::done ? Status::done : Status::waiting;
  for (StepState& step : steps_) step.done_before = step.status == Status::done;
  for (LayerState& layer : layers_)
    if (layer.status == LayerState::Status::running) layer.status = LayerState::Status::waiting;
}

void ConversionState::apply(const Event& event, double now_s) {
  std::visit([&](const auto& e) { hear(e, now_s); }, event);
  furthest_ = share(now_s);
}

void ConversionState::close_step(double now_s) {
  if (running_ < 0) return;
  StepState& step = steps_[static_cast<std::size_t>(running_)];
  step.seconds += now_s - step_started_s_;
  running_ = -1;
  progress_.reset();
}

void ConversionState::hear(const StepEvent& event, double now_s) {
  if (running_ >= 0) steps_[static_cast<std::size_t>(running_)].status = Status::done;
  close_step(now_s);
  if (static_cast<std::size_t>(event.index) >= steps_.size()) steps_.resize(std::size_t(event.index) + 1);
  StepState& step = steps_[static_cast<std::size_t>(event.index)];
  step.plan.step = step_named(event.name).value_or(step.plan.step);
  step.status = Status::running;
  running_ = event.index;
  progress_.reset();  // it may belong to the checks before the first step
  step_started_s_ = layer_started_s_ = now_s;
  if (!begun_s_) {
    begun_s_ = now_s;
    begun_share_ = planned_share(now_s);
  }
  note(now_s, QObject::tr("Step %1 of %2: %3")
                  .arg(event.index + 1)
                  .arg(event.count)
                  .arg(QString::fromStdString(step_in_words(event.name))));
}

bool ConversionState::converting() const {
  return running_ >= 0 && steps_[static_cast<std::size_t>(running_)].plan.step == Step::layers;
}

LayerState* ConversionState::find(int layer) {
  const auto found = std::ranges::find(layers_, layer, &LayerState::layer);
  return found == layers_.end() ? nullptr : &*found;
}

const LayerState* ConversionState::layer(int layer) const {
  return const_cast<ConversionState*>(this)->find(layer);
}

LayerState* ConversionState::begin_layer(int number, double now_s) {
  LayerState* layer = find(number);
  if (!layer) return nullptr;
  current_ = number;
  if (converting() && layer->status == LayerState::Status::waiting) {
    *layer = {number, LayerState::Status::running};
    layer_started_s_ = now_s;
  }
  return layer;
}

void ConversionState::hear(const ProgressEvent& event, double now_s) {
  if (event.layer < 0) {
    progress_ = event;
    return;
  }
  if (LayerState* layer = begin_layer(event.layer, now_s)) layer->what = event.what;
}

void ConversionState::hear(const LossEvent& event, double now_s) {
  LayerState* layer = begin_layer(event.layer, now_s);
  if (!layer) return;
  layer->what = "distillation";
  (event.held_out ? layer->held_out : layer->training).push_back({double(event.step), event.value});
}

void ConversionState::hear(const HistogramEvent& event, double now_s) {
  LayerState* layer = begin_layer(event.layer, now_s);
  if (!layer) return;
  layer->counts = event.counts;
  layer->expert_load = event.expert_load;
}

void ConversionState::hear(const SampleEvent& event, double now_s) {
  if (LayerState* layer = begin_layer(event.layer, now_s); layer && layer->what.empty())
    layer->what = "partition";
}

void ConversionState::hear(const LayerEvent& event, double now_s) {
  LayerState* layer = find(event.layer);
  if (!layer) return;
  current_ = event.layer;
  layer->status = LayerState::Status::done;
  layer->loss_before = event.loss_before;
  layer->loss_after = event.loss_after;
  layer->seconds = event.seconds;
  layer_started_s_ = now_s;
  note(now_s,
       QObject::tr("Layer %1: loss %2 → %3 in %4")
           .arg(event.layer)
           .arg(number_text(event.loss_before), number_text(event.loss_after), duration_text(event.seconds)));
}

void ConversionState::hear(const WarningEvent& event, double now_s) {
  const QString line = (QString::fromStdString(event.message) + ' ' + in_window_words(event.hint)).trimmed();
  warnings_ << line;
  note(now_s, QObject::tr("Warning: %1").arg(line));
}

void ConversionState::note(double now_s, const QString& line) {
  log_ << duration_text(seconds_spent(now_s)) + QStringLiteral("  ") + line;
}

int ConversionState::finished_layers() const {
  return static_cast<int>(std::ranges::count(layers_, LayerState::Status::done, &LayerState::status));
}

const StepState* ConversionState::running_step() const {
  return running_ < 0 ? nullptr : &steps_[static_cast<std::size_t>(running_)];
}

std::vector<StepState> ConversionState::steps(double now_s) const {
  auto steps = steps_;
  if (running_ >= 0) steps[static_cast<std::size_t>(running_)].seconds += now_s - step_started_s_;
  for (StepState& step : steps)
    if (step.status == Status::waiting) step.plan.seconds *= 1 - step_share(step, now_s);
  return steps;
}

double ConversionState::seconds_spent(double now_s) const {
  return spent_s_ + (running_engine_ ? now_s - started_s_ : 0);
}

double ConversionState::expected_layer_seconds() const {
  double seconds = 0;
  int timed = 0;
  for (const LayerState& layer : layers_)
    if (layer.seconds > 0) seconds += layer.seconds, ++timed;
  if (timed > 0) return seconds / timed;
  const auto step = std::ranges::find(steps_, Step::layers, [](const StepState& s) { return s.plan.step; });
  const auto left = static_cast<double>(layers_.size()) - resumed_;
  return step == steps_.end() || left < 1 ? 0 : step->plan.seconds / left;
}

double ConversionState::layer_share(double now_s) const {
  const double expected = expected_layer_seconds();
  const LayerState* layer = this->layer(current_);
  if (!layer || layer->status != LayerState::Status::running || expected <= 0) return 0;
  return std::min(unfinished, (now_s - layer_started_s_) / expected);
}

double ConversionState::step_share(const StepState& step, double now_s) const {
  if (step.done_before) return 1;
  if (step.plan.step == Step::layers && step.status != Status::done) {
    const auto all = static_cast<double>(layers_.size()) - resumed_;
    return all < 1 ? 0 : (finished_layers() - resumed_ + layer_share(now_s)) / all;
  }
  if (step.status != Status::running) return step.status == Status::done ? 1 : 0;
  if (progress_ && progress_->total > 0)
    return std::min(unfinished, static_cast<double>(progress_->done) / static_cast<double>(progress_->total));
  return step.plan.seconds > 0 ? std::min(unfinished, (now_s - step_started_s_) / step.plan.seconds) : 0;
}

// The bar never goes back, even if a step starts to count anew.
double ConversionState::share(double now_s) const { return std::max(furthest_, planned_share(now_s)); }

double ConversionState::planned_share(double now_s) const {
  double all = 0, done = 0;
  for (const StepState& step : steps_) {
    if (step.plan.done) continue;  // finished before this start
    all += step.plan.seconds;
    done += step.plan.seconds * step_share(step, now_s);
  }
  return all > 0 ? done / all : 0;
}

ConversionState::Pace ConversionState::pace(double now_s) const {
  if (!begun_s_) return pace_;
  return {pace_.seconds + now_s - *begun_s_, pace_.share + planned_share(now_s) - begun_share_};
}

// Reading the run again after a pause is no work of the plan, and the layer in progress begins anew.
double ConversionState::seconds_left(double now_s) const {
  double all = 0;
  for (const StepState& step : steps_) all += step.plan.done ? 0 : step.plan.seconds;
  if (all <= 0) return -1;
  const Pace so_far = pace(now_s);
  const double doubt = all / 20;  // seconds that must pass before the measured pace outweighs the plan
  return all * (1 - planned_share(now_s)) * (so_far.seconds + doubt) / (all * so_far.share + doubt);
}

QString ConversionState::layer_sentence(double now_s) const {
  const LayerState* layer = this->layer(current_);
  if (!layer || layer->status != LayerState::Status::running)
    return QObject::tr("Layers · %1 of %2 finished · starting the next")
        .arg(finished_layers())
        .arg(layers_.size());
  QStringList parts{QObject::tr("Layer %1").arg(current_),
                    QObject::tr("%1 of %2").arg(finished_layers() + 1).arg(layers_.size())};
  if (!layer->what.empty()) parts << part_in_words(layer->what);
  parts << of_time(now_s - layer_started_s_, expected_layer_seconds());
  return parts.join(QStringLiteral(" · "));
}

QString ConversionState::step_sentence(const StepState& step, double now_s) const {
  QStringList parts{step_title(step.plan.step)};
  const double passed = now_s - step_started_s_;
  double expected = step.plan.seconds;
  if (progress_ && progress_->total > 0) {
    parts << QObject::tr("%1 %").arg(100 * progress_->done / progress_->total);
    // The measured pace corrects the plan.
    if (10 * progress_->done >= progress_->total)
      expected = passed * static_cast<double>(progress_->total) / static_cast<double>(progress_->done);
  }
  parts << of_time(passed, expected);
  return parts.join(QStringLiteral(" · "));
}

QString ConversionState::sentence(double now_s) const {
  const StepState* step = running_step();
  if (!step) return running_engine_ ? QObject::tr("Reading the model and checking it again") : QString();
  return converting() ? layer_sentence(now_s) : step_sentence(*step, now_s);
}

}  // namespace ladimo::ui
