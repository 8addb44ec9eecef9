#include "convert/layer_conversion.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.h"
#include "convert/compensation_choice.h"
#include "convert/distil.h"
#include "convert/live_routing.h"
#include "convert/partition.h"
#include "convert/refit.h"
#include "convert/router_fit.h"
#include "model/routing_weights.h"
#include "run/enough_rows.h"

namespace ladimo {
namespace {

/// Reports which part of a layer's work begins, and measures what each takes.
class Parts {
 public:
  Parts(int layer, std::map<std::string, Work>& taken, const Context& context)
      : layer_(layer), taken_(taken), context_(context) {}
  ~Parts() { end(); }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  void begin(const char* part) {
    end();
    part_ = part;
    meter_ = WorkMeter();
    context_.emit(ProgressEvent{layer_, 0, 1, -1, part});
  }
  void end() {
    if (!part_.empty()) taken_[std::exchange(part_, {})] += meter_.work();
  }

 private:
  int layer_;
  std::map<std::string, Work>& taken_;
  const Context& context_;
  std::string part_;
  WorkMeter meter_;
};

}  // namespace

ConvertedLayer convert_layer(std::shared_ptr<const DenseFfn> ffn, const LayerRows& rows, const Recipe& recipe,
                             int layer, at::ScalarType storage, const Context& context) {
  const Stage1& settings = recipe.stage1;
  const auto index = static_cast<std::uint64_t>(layer);
  const auto training = rows.train();
  ConvertedLayer result;
  Parts parts(layer, result.parts, context);
  parts.begin("partition");
  const auto statistics = measure_hidden(*ffn, training.thinned(rows_for_statistics), context);
  const auto partition =
      partition_neurons(*ffn, statistics, training, recipe, Random(recipe.seed, "partition", index), context);
  context.emit(SampleEvent{layer, partition.owners()});

  LayerRecord& record = result.record;
  record.layer = layer;
  auto weights = slice_ffn(*ffn, partition);
  ffn.reset();
  parts.begin("router");
  const auto router =
      choose_router(weights, statistics, rows, settings, Random(recipe.seed, "router", index), context);
  weights = router.in(std::move(weights));
  record.router_r2 = router.r2;

  const auto routing_weights = route_rows(weights, rows, context);
  LiveRouting live(context, layer,
                   thresholds_at(routing_weights.slice(0, 0, rows.training()), {0.5}).front());
  live.add(routing_weights.slice(0, rows.training()));
  // A threshold on ranks is a k.
  const auto chosen_by = settings.top_k ? ranks(routing_weights) : routing_weights;
  const auto fitted = chosen_by.slice(0, 0, rows.training());
  const auto thresholds = thresholds_at(fitted, settings.levels);
  const auto loss = [&](const MoeWeights& candidate) {
    return elastic_errors(candidate, rows.validation(), chosen_by.slice(0, rows.training()), thresholds,
                          statistics.output_variance, context);
  };
  parts.begin("compensation");
  weights = with_compensation(weights, rows, thresholds, statistics.output_variance, settings, context);
  auto errors = loss(weights);
  record.loss_before = mean_error(errors);
  record.loss_refit = record.loss_before;
  if (settings.refit) {
    parts.begin("refit");
    auto refitted = refit(weights, training, fitted, thresholds, errors, settings.refit_ridge, context);
    const double after = mean_error(loss(refitted));
    if (after < record.loss_before) {
      weights = std::move(refitted);
      record.loss_refit = after;
    }
  }
  if (settings.distil) {
    parts.begin("distillation");
    auto distilled = distil(
        std::move(weights), rows, chosen_by, thresholds, statistics.output_variance, recipe, layer,
        [&](const at::Tensor& pick) { live.add(routing_weights.index_select(0, pick)); }, context);
    weights = std::move(distilled.weights);
    record.held_out_losses = std::move(distilled.held_out_losses);
  } else {
    live.add(routing_weights.slice(0, 0, rows.training()));
  }
  live.finish();
  parts.end();
  result.weights = weights.rounded(storage);
  record.shape = result.weights.shape();
  record.loss_after = mean_error(loss(result.weights));
  if (!std::isfinite(record.loss_after))
    throw Error(fmt::format("The converted weights of layer {} are not finite.", layer),
                "Check the checkpoint ({inspect_model}), or use milder settings in the recipe.");
  return result;
}

}  // namespace ladimo
