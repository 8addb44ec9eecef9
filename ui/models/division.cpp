#include "ui/models/division.h"

#include <algorithm>

#include "ui/models/sentences.h"

namespace ladimo::ui {
namespace {

using Rule = Division::Rule;

/// The threshold with which as many experts run as with a top-k: on a straight line between two rungs of the
/// ladder. Above the last rung fewer and fewer run; none at twice its threshold, as in the prediction.
double threshold_like(const LayerTable& layer, double experts) {
  const LayerPolicy* above = nullptr;  // the last rung with more experts
  for (const Candidate& candidate : layer.candidates) {
    const LayerPolicy& rung = candidate.policy;
    if (rung.kind != LayerPolicy::Kind::threshold) continue;
    if (rung.mean_experts <= experts) {
      if (above == nullptr || above->mean_experts <= rung.mean_experts) return rung.threshold;
      return rung.threshold - (rung.threshold - above->threshold) * (experts - rung.mean_experts) /
                                  (above->mean_experts - rung.mean_experts);
    }
    above = &rung;
  }
  if (above == nullptr) return 0;
  return above->threshold * (2 - experts / above->mean_experts);
}

Division of_experts(const PolicyEditor& editor, int layer) {
  const LayerTable& table = editor.run().tradeoff->layers[static_cast<std::size_t>(layer)];
  if (table.candidates.size() < 2) return {};
  const LayerPolicy& policy = editor.policy().layers[static_cast<std::size_t>(layer)];
  const double routed = std::max(1, editor.run().tradeoff->routed);
  switch (policy.kind) {
    case LayerPolicy::Kind::threshold:
      return {Rule::threshold, policy.threshold, policy.mean_experts / routed};
    case LayerPolicy::Kind::top_k:
      if (policy.k == 0) return {Rule::none, 0, 0, layer_in_words(editor.run(), layer, policy)};
      return {Rule::strongest, threshold_like(table, policy.k), policy.k / routed,
              QStringLiteral("≈ ") + layer_in_words(editor.run(), layer, policy)};
    case LayerPolicy::Kind::dense:
      break;
  }
  return {Rule::unused, 0, 0, QObject::tr("dense, no router")};
}

Division of_inputs(const PolicyEditor& editor, int layer, Product product) {
  const auto& rungs = editor.run().tradeoff->layers[static_cast<std::size_t>(layer)].rungs(product);
  if (rungs.empty()) return {};
  const InputCut& cut = editor.policy().layers[static_cast<std::size_t>(layer)].cut(product);
  if (cut.threshold > 0) return {Rule::threshold, cut.threshold, cut.share};
  return {Rule::all, 0, 1, QObject::tr("all")};
}

}  // namespace

Division division_of(const PolicyEditor& editor, int layer, std::optional<Product> product) {
  return product ? of_inputs(editor, layer, *product) : of_experts(editor, layer);
}

const HistogramCounts* weights_of(const RunData& run, int layer, std::optional<Product> product) {
  if (product) {
    const InputProfile* inputs = run.inputs_of(layer);
    return inputs ? &inputs->of(*product) : nullptr;
  }
  const LayerProfile* profile = run.profile_of(layer);
  return profile ? &profile->all : nullptr;
}

}  // namespace ladimo::ui
