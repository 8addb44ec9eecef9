#include "training/second_sweep.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "convert/contributions.h"
#include "convert/refit.h"
#include "model/routing_weights.h"
#include "stream/walk.h"
#include "stream/window_order.h"

namespace ladimo {
namespace {

class SecondSweep {
 public:
  SecondSweep(const WeightSource& source, const LayerStore& store, const Recipe& recipe,
              const Context& context)
      : source_(source),
        store_(store),
        settings_(recipe.stage1),
        storage_(storage_dtype(source.checkpoint())),
        context_(context) {}

  /// Fits the layer on `rows`, unless that was done before.
  void fit(int l, const LayerRows& rows) const {
    const auto before = load(store_.stage1_weights(l));
    const auto thresholds = thresholds_on(before, rows);
    const auto training = rows.train(), held_back = rows.validation();
    const double variance = std::max(output_variance(held_back, context_), 1e-12);
    const auto routing_weights = route_rows(before, held_back, context_);
    const auto errors_of = [&](const MoeWeights& weights) {
      return elastic_errors(weights, held_back, routing_weights, thresholds, variance, context_);
    };
    const auto errors = errors_of(before);
    const auto after = refit(before, training, route_rows(before, training, context_), thresholds, errors,
                             settings_.refit_ridge, context_)
                           .rounded(storage_);
    SweepRecord record{l, mean_error(errors), mean_error(errors), {}};
    LayerStore::Write write;
    if (const double loss = mean_error(errors_of(after)); loss < record.loss_before) {
      record.loss_after = loss;
      write = [&](const auto& file) { save_moe_weights(file, after, storage_); };
    }
    store_.put(record, write);
    log_debug(fmt::format("second sweep, layer {}: {} -> {}", l, record.loss_before, record.loss_after));
  }

  /// Gives the FFN of every window. Every other training window passes the dense layer. The rest pass the
  /// converted layer, each at one of the recipe's levels.
  FeedForwards deal(int l, const DecoderLayer& layer, const LayerRows& rows, std::int64_t windows,
                    std::int64_t training) const {
    const auto thresholds = thresholds_on(load(store_.stage1_weights(l)), rows);
    const auto weights = std::make_shared<const MoeWeights>(load(store_.weights_before_finish(l)));
    FeedForwards student, dealt;
    for (const double threshold : thresholds)
      student.push_back(std::make_shared<MoeLayer>(weights, LayerPolicy::above(threshold)));
    for (std::int64_t w = 0; w < windows; ++w) {
      const auto turn = static_cast<std::size_t>(w < training ? w / 2 : w - training);
      const bool dense = w < training && w % 2 == 0;
      dealt.push_back(dense ? layer.ffn : student[turn % student.size()]);
    }
    return dealt;
  }

 private:
  MoeWeights load(const std::filesystem::path& file) const {
    return load_moe_weights(file, source_.device(), at::kFloat);
  }
  std::vector<double> thresholds_on(const MoeWeights& weights, const LayerRows& rows) const {
    return thresholds_at(route_rows(weights, rows.train(), context_), settings_.levels);
  }

  const WeightSource& source_;
  const LayerStore& store_;
  const Stage1& settings_;
  at::ScalarType storage_;
  const Context& context_;
};

}  // namespace

void sweep_again(const WeightSource& source, const LayerStore& store, const Recipe& recipe,
                 const Windows& calibration, const Context& context) {
  std::set<int> pending;
  for (const int layer : recipe.layers)
    if (!store.sweep_intact(layer)) pending.insert(layer);
  if (pending.empty()) return;

  const WindowOrder order(calibration.count(), recipe.stage1.validation_share);
  auto stream = ResidualStream::embedded(source, order.all(calibration), context);
  const SecondSweep sweep(source, store, recipe, context);
  const int last = *pending.rbegin();
  Progress progress(context, last + 1);
  progress.advance(0);
  std::optional<RowCapture> capture;
  Walk how;
  how.layers = last + 1;
  how.enter = [&](std::int64_t l, const DecoderLayer&) {
    if (std::ranges::binary_search(recipe.layers, static_cast<int>(l)))
      capture.emplace(source, stream.windows(), order.training, stream.positions(), context);
  };
  how.see = [&](const LayerChunk& chunk) {
    if (capture) capture->keep(chunk.begin, chunk.x, chunk.y);
  };
  how.deal = [&](std::int64_t layer, const DecoderLayer& weights) -> FeedForwards {
    if (!capture) return {};
    const auto l = static_cast<int>(layer);
    const auto rows = capture->rows();
    capture.reset();
    if (pending.contains(l)) sweep.fit(l, rows);
    if (l == last) return {};
    return sweep.deal(l, weights, rows, stream.windows(), order.training);
  };
  how.leave = [&](std::int64_t, const DecoderLayer&) { progress.advance(); };
  walk(source, stream, how, context);
}

}  // namespace ladimo
