#include "policy/input_cuts.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"

namespace ladimo {

Grains parse_grains(std::string_view text) {
  if (text == "all") return {};
  Grains grains{false, false, false};
  for (std::string_view rest = text;;) {
    const auto end = rest.find(',');
    const auto name = rest.substr(0, end);
    if (name == "experts")
      grains.experts = true;
    else if (name == "neurons")
      grains.neurons = true;
    else if (name == "inputs")
      grains.inputs = true;
    else
      throw Refusal(fmt::format("\"{}\" is not a grain.", name),
                    "Use all, or some of experts, neurons and inputs with commas between them.");
    if (end == std::string_view::npos) return grains;
    rest = rest.substr(end + 1);
  }
}

double ProductSizes::running(const LayerPolicy& policy) const {
  return policy.kind == LayerPolicy::Kind::dense ? neurons
                                                 : shared_neurons + policy.mean_experts * expert_neurons;
}

double ProductSizes::left_out_of_attention(const LayerPolicy& policy) const {
  return (1 - policy.cut(Product::qkv).share) * qkv + (1 - policy.cut(Product::o).share) * o;
}

double ProductSizes::left_out_of_ffn(const LayerPolicy& policy) const {
  const double ran = running(policy);
  const InputCut& down = policy.cut(Product::down);
  const double used = down.threshold > 0 ? std::min(down.share * neurons, ran) : ran;
  return hidden_size * (2 * ran * (1 - policy.cut(Product::gate_up).share) + ran - used);
}

CutRung at_threshold(const std::vector<CutRung>& rungs, double threshold) {
  if (threshold <= 0) return {};
  const auto above = std::ranges::lower_bound(rungs, threshold, {}, &CutRung::threshold);
  if (above == rungs.end()) return {threshold, rungs.back().share, rungs.back().kl};
  if (above->threshold == threshold || above == rungs.begin()) return {threshold, above->share, above->kl};
  const CutRung &a = *(above - 1), &b = *above;
  // The first rung has no logarithm. Below the next one what is left out grows with the threshold.
  const double t = a.threshold <= 0 ? threshold / b.threshold
                                    : std::log(threshold / a.threshold) / std::log(b.threshold / a.threshold);
  return {threshold, std::lerp(a.share, b.share, t), std::lerp(a.kl, b.kl, t)};
}

}  // namespace ladimo
