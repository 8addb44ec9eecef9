#include "commands/conversion.h"

#include <functional>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/log.h"
#include "commands/opened_model.h"
#include "commands/product_counter.h"
#include "commands/self_text.h"
#include "kernels/matrix_units.h"
#include "profile/latency.h"
#include "profile/routing.h"
#include "profile/tradeoff.h"
#include "run/model_check.h"
#include "run/run_text.h"
#include "run/seen_text.h"
#include "run/timing_log.h"
#include "training/block_finish.h"
#include "training/finish.h"
#include "training/second_sweep.h"
#include "training/stage1.h"

namespace ladimo {
namespace {

std::string in_words(const std::string& name, const Work& work) {
  return fmt::format("{}: {:.1f} s, {:.0f} GFLOP, {:.0f} GFLOP/s", name, work.seconds, work.flops / 1e9,
                     work.flops_per_second() / 1e9);
}

/// The steps of a conversion in the plan's order. The file that a step writes shows that it is done.
class Conversion {
 public:
  Conversion(const Plan& plan, const Runtime& runtime, const Context& context)
      : plan_(plan),
        recipe_(plan.recipe),
        runtime_(runtime),
        context_(context.within(MemoryBudget(plan.stream_bytes, plan.run))),
        run_(plan.run),
        lock_(run_),
        source_(Checkpoint::open(recipe_.model), runtime.device, at::kFloat,
                {.stream = stream_dtype(recipe_)}),
        moe_(run_layers(run_, runtime.device, at::kFloat)) {
    if (recipe_.compute == "fp32") exact_.emplace();
    run_.clean();
    require_same_recipe();
    log_to_file(run_.log_file());
  }

  ConversionResult run() {
    const WorkMeter meter;
    const ProductCounter counter;
    log_debug("run " + run_.path().string());
    step(Step::calibration_text, [&] { read_text(); });
    step(Step::layers,
         [&] { resumed_ = convert_layers(source_, run_, recipe_, text_.calibration, context_); });
    if (recipe_.stage1.second_sweep)
      step(Step::second_sweep,
           [&] { sweep_again(source_, run_.layers(), recipe_, text_.calibration, context_); });
    if (plan_.finish_tokens > 0) step(Step::finish, [&] { finish(); });
    step(Step::routing_profile, [&] { profile(); });
    step(Step::sensitivity, [&] { sensitivity(); });
    step(Step::latency, [&] { latency(); });
    step(Step::frontier, [&] { frontier(); });
    return result(meter.seconds());
  }

 private:
  /// The plan was made before the lock was held, so another process may have begun another run here since.
  void require_same_recipe() {
    if (!run_.exists()) return write_json(run_.recipe_file(), to_json(recipe_));
    Recipe in_run = run_.recipe();
    const auto lines = differences(in_run, recipe_);
    if (!lines.empty())
      throw Refusal(fmt::format("The run folder contains another recipe: {}.", fmt::join(lines, "; ")),
                    "Choose another folder with {run}.", run_.path());
    if (in_run.model == recipe_.model && in_run.text == recipe_.text) return;
    // The same files elsewhere: from now on every command looks for them there.
    in_run.model = recipe_.model;
    in_run.text = recipe_.text;
    write_json(run_.recipe_file(), to_json(in_run));
  }

  void step(Step step, const std::function<void()>& work) {
    context_.check();
    const WorkMeter meter;
    context_.emit(begin_step(step, index_++, static_cast<int>(plan_.steps.size())));
    work();
    add_work(run_, step, meter.work());
    log_debug(in_words(name_of(step), meter.work()));
  }

  void read_text() {
    const auto tokenizer = load_tokenizer(source_.checkpoint().files(), model_tokens(source_.config()));
    if (recipe_.self_text()) {
      write_own_text(*tokenizer);
      text_ = self_written_text(run_, recipe_, *tokenizer);
    } else {
      text_ = plan_.text;
    }
    keep_hashes(*tokenizer);
  }

  /// Keeps hashes of the text, so that evaluations recognise it. A run of an earlier version gets them now.
  void keep_hashes(const Tokenizer& tokenizer) {
    if (readable_seen_text(run_)) return;
    const auto files =
        recipe_.self_text() ? std::vector{run_.self_calibration(), run_.self_held_out()} : recipe_.text;
    const SeenText seen = seen_text(files, text_, tokenizer, context_);
    warn_of_repeats(seen, tokenizer);
    write_seen_text(run_.seen_text_file(), seen);
  }

  static bool readable_seen_text(const RunFolder& run) {
    try {
      return read_seen_text(run.seen_text_file()).has_value();
    } catch (const Refusal&) {
      return false;  // it is made anew
    }
  }

  /// No document is in two splits. But files may hold it twice, with small differences.
  void warn_of_repeats(const SeenText& seen, const Tokenizer& tokenizer) const {
    for (const Windows* held_out : {&text_.tables, &text_.checking}) {
      const auto share = seen.calibration.overlap(texts_of(*held_out, tokenizer)).share();
      if (!is_notable(share)) continue;
      return context_.warn(
          fmt::format("{} of the held-out text is also in the text that the run is calibrated on: tables and "
                      "predictions will look too good.",
                      share_in_words(*share)),
          "The text files repeat themselves. Remove the copies, and choose a new folder with {run}.");
    }
  }

  void write_own_text(const Tokenizer& tokenizer) {
    if (exists(run_.self_calibration()) && exists(run_.self_held_out())) return;
    create_directories(run_.self_calibration().parent_path());
    const Decoder decoder(source_);
    // A little more than needed: the last window of each split loses its tail, and the text has slightly
    // fewer tokens when it is encoded again.
    const auto enough = [&](std::int64_t tokens, int splits) {
      return tokens + tokens / 50 + (splits + 1) * recipe_.window;
    };
    if (!exists(run_.self_calibration()))
      write_self_text(decoder, tokenizer, enough(recipe_.tokens, 1), recipe_.window, 2 * recipe_.seed,
                      run_.self_calibration(), context_);
    write_self_text(decoder, tokenizer, enough(recipe_.held_out_tokens, 2), recipe_.window,
                    2 * recipe_.seed + 1, run_.self_held_out(), context_);
  }

  /// Finishes the layers. A run that has its tables but no record of a finish was made without one and stays
  /// so.
  void finish() {
    const LayerStore& store = run_.layers();
    if (store.finish_intact() || (exists(run_.tradeoff_file()) && !exists(store.finish_file()))) return;
    // The tables are removed first. With tables but no record of a finish, the run would count as one made
    // without.
    for (const auto& file : {run_.tradeoff_file(), run_.profile_file(), store.finish_file()})
      std::filesystem::remove(file);
    const auto storage = storage_dtype(source_.checkpoint());
    const auto text = some_windows(text_.calibration, plan_.finish_tokens / recipe_.window);
    FinishRecord record;
    const auto keep = [&](int layer, const MoeWeights& weights) {
      record.hashes[layer] =
          store.put_finished(layer, [&](const auto& file) { save_moe_weights(file, weights, storage); });
    };
    if (recipe_.finish.block > 0) {
      record.held_out_losses = finish_by_blocks(source_, moe_, recipe_, text, storage, keep, context_);
    } else {
      const auto finished = finish_end_to_end(source_, moe_, recipe_, text, storage, context_);
      record.held_out_losses = finished.held_out_losses;
      for (const auto& [layer, weights] : finished.layers) keep(layer, weights);
    }
    store.put(record);
  }

  void profile() {
    if (exists(run_.profile_file()) && exists(run_.tradeoff_file())) return;
    auto measured = measure_routing(source_, moe_, recipe_.layers, text_.tables, context_);
    candidates_ = std::move(measured.candidates);
    cuts_ = std::move(measured.cuts);
    for (const LayerProfile& layer : measured.profile.layers)
      for (const RouterWarning& warning : layer.warnings) context_.warn(warning.message, warning.hint);
    write_json(run_.profile_file(), to_json(measured.profile));
  }

  TradeoffSettings table_settings() const {
    return {plan_.measures_sensitivity, recipe_.recalibrate, recipe_.seed};
  }

  void sensitivity() {
    if (exists(run_.tradeoff_file())) return;
    table_ = measure_tradeoff(source_, moe_, candidates_, cuts_, text_.tables, table_settings(), context_);
  }

  void latency() {
    if (exists(run_.latency_file())) return;
    // Measured in the dtype in which bench, generate and serve hold the model.
    const auto checkpoint = Checkpoint::open(recipe_.model);
    const auto dtype = holding_dtype(checkpoint, runtime_);
    const WeightSource held(checkpoint, runtime_.device, dtype);
    const auto inputs = routing_profile_from_json(read_json(run_.profile_file())).inputs;
    std::vector<ModelPolicy> cuts;
    for (const double share : {0.8, 0.6, 0.4})
      if (!inputs.empty()) cuts.push_back(uniform_cuts(inputs, share));
    const auto table =
        measure_latency(held, run_layers(run_, runtime_.device, dtype), recipe_.layers, cuts, context_);
    write_json(run_.latency_file(), to_json(table));
    if (const auto doubt = table.doubt()) context_.warn(doubt->message, doubt->hint);
  }

  void frontier() {
    if (exists(run_.tradeoff_file())) return;
    measure_joint(table_, source_, moe_, text_.tables, table_settings(), context_);
    write_json(run_.tradeoff_file(), to_json(table_));
  }

  ConversionResult result(double seconds) const {
    ConversionResult result{run_.path(), {}, seconds, resumed_, {}, {}};
    auto timing = read_timing(run_);
    for (const auto& [name, work] : timing.steps)
      result.steps.push_back({name, work.seconds, work.flops, work.flops_per_second()});
    for (const auto& [name, work] : timing.parts) {
      result.parts.push_back({name, work.seconds, work.flops, work.flops_per_second()});
      log_debug("layers, " + in_words(name, work));
    }
    for (const int l : recipe_.layers) {
      const auto record = run_.layers().record(l);
      result.layers.push_back({l, record.loss_before, record.loss_after, timing.layers[l]});
    }
    return result;
  }

  const Plan& plan_;
  const Recipe& recipe_;
  const Runtime& runtime_;
  Context context_;
  RunFolder run_;
  RunFolder::Lock lock_;
  std::optional<ExactProducts> exact_;  // where the recipe asks for fp32
  WeightSource source_;
  MoeLayers moe_;
  Split text_;
  CandidateTable candidates_;
  std::vector<CutThresholds> cuts_;
  TradeoffTable table_;
  int resumed_ = 0;
  int index_ = 0;
};

}  // namespace

ConversionResult convert(const Plan& plan, const Runtime& runtime, const Context& context) {
  return Conversion(plan, runtime, context).run();
}

}  // namespace ladimo
