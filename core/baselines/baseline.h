// The opponents of `compare` (docs/method.md "The opponents"): each makes feed-forward networks that imitate one dense
// FFN from that FFN and its inputs alone.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "convert/hidden_statistics.h"
#include "model/feed_forward.h"
#include "run/recipe.h"
#include "stream/layer_rows.h"
#include "stream/walk.h"

namespace ladimo {

/// One FFN that the opponents imitate. All layers have the same shape and the same targets.
struct BaselineTask {
  const DenseFfn& ffn;
  const LayerRows& rows;
  const HiddenStatistics& statistics;  // of the training rows
  const Recipe& recipe;                // resolved; experts and shared are the opponent's
  int layer = 0;
  int layers = 1;  // of the model

  double dense_parameters() const { return ffn.activated_parameters(0); }
};

struct Baseline {
  const char* name;
  const char* summary;
  /// A bound on our method: it has our slices, and how much runs depends on the inputs, which are others in
  /// the converted model.
  bool bound;
  /// One network per target: the share of the FFN's parameters that is used per token, router counted.
  FeedForwards (*make)(const BaselineTask& task, const std::vector<double>& targets, const Context& context);
};

/// All of them, in the order of the comparison's table.
const std::vector<Baseline>& baselines();
/// Null where there is none of that name.
const Baseline* find_baseline(std::string_view name);

/// The equal experts that opponents make where none are asked for: of 32 neurons, as MoEfication
/// (arXiv 2110.01786) has them, but as many as it takes for `layers` layers to meet a target by choosing k;
/// no more than neurons.
int customary_experts(std::int64_t intermediate_size, int layers);

/// The k of one layer so that the layers together use `target` of the dense parameters: k in some layers, k +
/// 1 in others (the first ones, which are the most fragile).
int spread_k(const BaselineTask& task, double target, const MoeShape& shape);

}  // namespace ladimo
