#include "training/second_sweep.h"

#include <algorithm>
#include <set>

#include <ATen/ATen.h>
#include <spdlog/spdlog.h>

#include "base/files.h"
#include "base/hash.h"
#include "convert/contributions.h"
#include "convert/refit.h"
#include "stream/calibration_stream.h"
#include "training/stage1.h"
#include "model/routing_weights.h"
#include "run/sweep_record.h"

namespace ladimo {
namespace {

using Ffns = std::vector<std::shared_ptr<const FeedForward>>;

class SecondSweep {
 public:
  SecondSweep(const WeightSource& source, const RunFolder& run, const Recipe& recipe,
              const Windows& calibration, const Context& context)
      : source_(source),
        run_(run),
        settings_(recipe.stage1),
        storage_(storage_dtype(source.checkpoint())),
        context_(context),
        stream_(source, calibration, settings_.validation_share) {}

  void pass_dense(int l) {
    const auto layer = source_.layer(l);
    stream_.attend(layer, false, context_);
    stream_.feed_forward(layer, 0, stream_.windows(), {layer.ffn}, context_);
  }

  /// `pending`: the layer is to be fitted; `last`: nothing comes after it.
  void pass_converted(int l, bool pending, bool last) {
    const auto layer = source_.layer(l);
    const auto rows = stream_.attend(layer, true, context_);
    const auto before = load(run_.layer_weights(l));
    const auto thresholds = thresholds_at(before.route(rows.train().x), settings_.levels);
    if (pending) fit(l, before, rows, thresholds);
    if (last) return;
    const auto student = at_levels(load(weights_before_finish(run_, l).path), thresholds);
    Ffns dealt;  // every other training window stays on the dense model's way
    for (const auto& ffn : student) dealt.insert(dealt.end(), {layer.ffn, ffn});
    const auto training = stream_.training_windows();
    stream_.feed_forward(layer, 0, training, dealt, context_);
    stream_.feed_forward(layer, training, stream_.windows(), student, context_);
  }

 private:
  MoeWeights load(const std::filesystem::path& file) const {
    return load_moe_weights(file, source_.device(), at::kFloat);
  }

  static Ffns at_levels(const MoeWeights& weights, const std::vector<double>& thresholds) {
    const auto shared = std::make_shared<const MoeWeights>(weights);
    Ffns ffns;
    for (const double threshold : thresholds)
      ffns.push_back(std::make_shared<MoeLayer>(shared, LayerPolicy::above(threshold)));
    return ffns;
  }

  void fit(int l, const MoeWeights& before, const CalibrationRows& rows,
           const std::vector<double>& thresholds) {
    const auto training = rows.train(), held_back = rows.validation();
    const double variance =
        (held_back.y - held_back.y.mean(0)).square().sum(1).mean().clamp_min(1e-12).item<double>();
    const auto routing_weights = before.route(held_back.x);
    const auto errors_of = [&](const MoeWeights& weights) {
      return elastic_errors(weights, held_back, routing_weights, thresholds, variance, context_);
    };
    const auto errors = errors_of(before);
    const auto after =
        refit(before, training, before.route(training.x), thresholds, errors, settings_.refit_ridge, context_)
            .rounded(storage_);
    SweepRecord record{l, mean_error(errors), mean_error(errors), {}};
    if (const double loss = mean_error(errors_of(after)); loss < record.loss_before) {
      const auto file = swept_weights(run_, l);
      save_moe_weights(file, after, storage_);
      record.loss_after = loss;
      record.hash = hash_hex(read_file(file));
    }
    write_sweep(run_, record);
    spdlog::debug("second sweep, layer {}: {} -> {}", l, record.loss_before, record.loss_after);
  }

  const WeightSource& source_;
  const RunFolder& run_;
  const Stage1& settings_;
  at::ScalarType storage_;
  const Context& context_;
  CalibrationStream stream_;
};

}  // namespace

void sweep_again(const WeightSource& source, const RunFolder& run, const Recipe& recipe,
                 const Windows& calibration, const Context& context) {
  std::set<int> pending;
  for (const int layer : recipe.layers)
    if (!sweep_intact(run, layer)) pending.insert(layer);
  if (pending.empty()) return;

  create_directories(swept_weights(run, 0).parent_path());
  SecondSweep sweep(source, run, recipe, calibration, context);
  const int last = *pending.rbegin();
  Progress progress(context, last + 1);
  progress.advance(0);
  for (int l = 0; l <= last; ++l) {
    if (std::ranges::binary_search(recipe.layers, l))
      sweep.pass_converted(l, pending.contains(l), l == last);
    else
      sweep.pass_dense(l);
    progress.advance();
  }
}

}  // namespace ladimo
