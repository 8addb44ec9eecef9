#include "profile/sensitivity.h"

#include <algorithm>
#include <array>
#include <memory>

#include <ATen/ATen.h>

#include "profile/fisher.h"
#include "profile/output_gradient.h"
#include "stream/side_by_side.h"

namespace ladimo {
namespace {

/// 1/2 (g . delta)^2 of every candidate, summed over tokens: [candidates] fp64. delta is the candidate's
/// output for x minus y; all are [T, d].
at::Tensor summed_errors(const MoeWeights& weights, const std::vector<LayerPolicy>& candidates,
                         const at::Tensor& x, const at::Tensor& y, const at::Tensor& g) {
  const auto routing_weights = weights.route(x);
  const OutputGradient output(weights, x, g);
  const auto dense = (g * y).sum(1);
  std::vector<at::Tensor> sums;
  for (const LayerPolicy& candidate : candidates) {
    const auto delta = output.under(candidate, select_experts(routing_weights, candidate)) - dense;
    sums.push_back(0.5 * delta.to(at::kDouble).square().sum());
  }
  return at::stack(sums);
}

/// Adds the errors of a chunk to `sum`, which begins undefined.
void add_errors(const MoeWeights& weights, const std::vector<LayerPolicy>& candidates,
                const BackwardChunk& chunk, at::Tensor& sum) {
  const auto &x = chunk.forward.x, &y = chunk.forward.y, &g = chunk.gradient;
  const auto rows = x.is_cpu() ? rows_compared : x.size(0);
  const auto blocks = (x.size(0) + rows - 1) / rows;
  std::vector<at::Tensor> sums(static_cast<std::size_t>(blocks));
  side_by_side(x.device(), blocks, rows * weights.neurons() * 4, [&](std::int64_t i) {
    const auto block = [&](const at::Tensor& t) { return t.slice(0, i * rows, (i + 1) * rows); };
    sums[static_cast<std::size_t>(i)] = summed_errors(weights, candidates, block(x), block(y), block(g));
  });
  for (const at::Tensor& more : sums) sum = sum.defined() ? sum + more : more;
}

/// What leaving out inputs of one product changes, summed over tokens, per threshold.
struct CutSums {
  at::Tensor errors;  // [K] fp64, 1/2 (sum over inputs left out of u x)^2
  at::Tensor used;    // [K] fp64, inputs that stay
};

/// x, u [T, n]; size [T, n] is compared with thresholds [K], which rise.
CutSums cut_sums(const at::Tensor& x, const at::Tensor& size, const at::Tensor& u,
                 const at::Tensor& thresholds) {
  // An input whose place is k is left out from threshold k on.
  const auto place = at::bucketize(size, thresholds, /*out_int32=*/false, /*right=*/true);  // [T, n]
  const auto places = thresholds.numel() + 1;
  const auto by_place = at::zeros({x.size(0), places}, u.options()).scatter_add_(1, place, x * u);
  const auto left_out = by_place.cumsum(1).narrow(1, 0, places - 1).to(at::kDouble);
  const auto counts = place.flatten().bincount({}, places).to(at::kDouble);
  return {left_out.square().sum(0) * 0.5,
          static_cast<double>(place.numel()) - counts.cumsum(0).narrow(0, 0, places - 1)};
}

/// Sums over the chunks of one layer.
class LayerCuts {
 public:
  LayerCuts(const CutThresholds& thresholds, at::Device device) {
    for (std::size_t p = 0; p < all_products.size(); ++p)
      if (!thresholds[p].empty()) thresholds_[p] = at::tensor(thresholds[p], at::kFloat).to(device);
  }

  void add(const BackwardChunk& chunk, std::int64_t positions) {
    for (const Product product : all_products) {
      const auto p = static_cast<std::size_t>(product);
      const auto x = chunk.forward.inputs(product);
      if (!thresholds_[p].defined() || !x.defined()) continue;
      const auto norms = product == Product::down ? chunk.forward.weights->ffn->neuron_norms() : at::Tensor();
      // The first token of a window uses every input.
      const auto others = [&](const at::Tensor& t) {
        return t.view({-1, positions, t.size(1)}).slice(1, 1).flatten(0, 1).to(at::kFloat);
      };
      const auto inputs = others(x), gradients = others(chunk.input_gradients[p]);
      const auto rows = x.is_cpu() ? rows_compared : x.size(0);
      const auto blocks = (inputs.size(0) + rows - 1) / rows;
      std::vector<CutSums> parts(static_cast<std::size_t>(blocks));
      side_by_side(x.device(), blocks, rows * x.size(1) * 16, [&](std::int64_t i) {
        const auto own = inputs.slice(0, i * rows, (i + 1) * rows);
        const auto size = norms.defined() ? own.abs() * norms : own.abs();
        parts[static_cast<std::size_t>(i)] =
            cut_sums(own, size, gradients.slice(0, i * rows, (i + 1) * rows), thresholds_[p]);
      });
      for (const CutSums& part : parts) {
        sums_[p].errors = sums_[p].errors.defined() ? sums_[p].errors + part.errors : part.errors;
        sums_[p].used = sums_[p].used.defined() ? sums_[p].used + part.used : part.used;
      }
      seen_[p] += static_cast<double>(inputs.numel());
    }
  }

  /// The rungs, with means over `tokens`.
  std::array<std::vector<CutRung>, all_products.size()> rungs(double tokens) const {
    std::array<std::vector<CutRung>, all_products.size()> result;
    for (std::size_t p = 0; p < result.size(); ++p) {
      if (!sums_[p].errors.defined()) continue;
      const auto thresholds = thresholds_[p].to(at::kCPU, at::kDouble), used = sums_[p].used.to(at::kCPU);
      const auto errors = (sums_[p].errors / tokens).to(at::kCPU);
      result[p].push_back({});
      for (std::int64_t k = 0; k < errors.numel(); ++k) {
        const CutRung& before = result[p].back();
        result[p].push_back({thresholds.data_ptr<double>()[k], used.data_ptr<double>()[k] / seen_[p],
                             std::max(errors.data_ptr<double>()[k], before.kl)});
      }
    }
    return result;
  }

 private:
  std::array<at::Tensor, all_products.size()> thresholds_;
  std::array<CutSums, all_products.size()> sums_;
  std::array<double, all_products.size()> seen_{};
};

}  // namespace

EstimatedSensitivity estimate_sensitivity(const WeightSource& source, const MoeLayers& moe,
                                          const CandidateTable& candidates,
                                          const std::vector<CutThresholds>& cuts, const Windows& windows,
                                          std::uint64_t seed, const Context& context) {
  const auto layers = source.config().layers;
  Progress progress(context, 2 * layers * windows.count());
  std::vector<at::Tensor> sums(candidates.size());
  std::shared_ptr<const MoeWeights> weights;
  std::int64_t loaded = layers;
  std::vector<LayerCuts> layer_cuts;
  for (const CutThresholds& thresholds : cuts) layer_cuts.emplace_back(thresholds, source.device());
  const auto see = [&](const BackwardChunk& chunk) {
    const auto l = static_cast<std::size_t>(chunk.forward.layer);
    if (l < layer_cuts.size()) layer_cuts[l].add(chunk, windows.window);
    if (candidates[l].empty()) return;
    if (loaded != chunk.forward.layer) {
      weights.reset();  // before the next one is loaded
      weights = moe.load(static_cast<int>(loaded = chunk.forward.layer));
    }
    add_errors(*weights, candidates[l], chunk, sums[l]);
  };
  const auto passed = [&](std::int64_t n) { progress.advance(n); };
  walk_sampled_gradient(source, windows, seed, see, passed, context);
  const auto tokens = static_cast<double>(windows.count() * (windows.window - 1));
  EstimatedSensitivity sensitivity;
  for (const LayerCuts& layer : layer_cuts) sensitivity.cuts.push_back(layer.rungs(tokens));
  for (const at::Tensor& sum : sums) {
    auto& values = sensitivity.candidates.emplace_back();
    if (!sum.defined()) continue;
    const auto means = (sum / tokens).to(at::kCPU);
    values.assign(means.data_ptr<double>(), means.data_ptr<double>() + means.numel());
  }
  return sensitivity;
}

}  // namespace ladimo
