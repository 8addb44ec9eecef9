// The opponents of `compare` (docs/method.md "The opponents"). Each makes feed-forward networks that imitate
// one dense FFN, from that FFN and its inputs alone.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "convert/hidden_statistics.h"
#include "model/feed_forward.h"
#include "model/weight_source.h"
#include "run/recipe.h"
#include "stream/layer_rows.h"
#include "stream/walk.h"

namespace ladimo {

/// One FFN that the opponents imitate. All layers have the same shape and the same targets.
struct BaselineTask {
  const DenseFfn& ffn;
  const LayerRows& rows;
  const HiddenStatistics& statistics;  // statistics of the training rows
  const Recipe& recipe;                // resolved; experts and shared are those of the opponent
  int layer = 0;
  int layers = 1;                // layers of the model
  std::vector<at::Tensor> kept;  // per target: the neurons that Baseline::learn chose for this layer

  double dense_parameters() const { return ffn.activated_parameters(0); }
};

/// The neurons of every layer that stay, rising [n] int64; undefined where a layer is not converted.
using KeptNeurons = std::vector<at::Tensor>;

struct Baseline {
  const char* name;
  const char* summary;
  /// Whether this is a bound on our method, with our slices, rather than an opponent.
  bool bound;
  /// Whether how much of it runs depends on its inputs, which differ in the converted model.
  bool drifts;
  /// Makes one network per target. A target is the share of the FFN's parameters used per token, with the
  /// router.
  FeedForwards (*make)(const BaselineTask& task, const std::vector<double>& targets, const Context& context);
  /// What a method learns from the whole model before its layers are made, for every target; null where it
  /// learns nothing. A target is the share of the converted FFNs' parameters, all of them together.
  std::vector<KeptNeurons> (*learn)(const WeightSource& source, const Recipe& recipe,
                                    const Windows& calibration, const std::vector<double>& targets,
                                    const Context& context) = nullptr;
};

/// All opponents, in the order of the comparison's table.
const std::vector<Baseline>& baselines();
/// Null where no opponent has that name.
const Baseline* find_baseline(std::string_view name);

/// The default number of equal experts of an opponent. Experts have 32 neurons, as in MoEfication (arXiv
/// 2110.01786). There are at least enough for `layers` layers to meet a target by choosing k, and at most as
/// many as neurons.
int customary_experts(std::int64_t intermediate_size, int layers);

/// The k of one layer. Some layers use k and others k + 1, so that together they use `target` of the dense
/// parameters. The first layers, which are the most fragile, get k + 1.
int spread_k(const BaselineTask& task, double target, const MoeShape& shape);

}  // namespace ladimo
