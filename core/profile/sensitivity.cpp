#include "profile/sensitivity.h"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>

#include "evaluate/evaluation.h"

namespace ladimo {
namespace {

std::vector<double> flattened(const Sensitivity& table) {
  std::vector<double> values;
  for (const auto& row : table) values.insert(values.end(), row.begin(), row.end());
  return values;
}

/// Ranks from 0; equal values share their mean rank.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) result[order[i]] = static_cast<double>(begin + end - 1) / 2;
    begin = end;
  }
  return result;
}

}  // namespace

Sensitivity measure_sensitivity(const WeightSource& source, const MoeProvider& moe,
                                const CandidateTable& candidates, const Windows& windows,
                                const Context& context) {
  const auto layers = static_cast<std::size_t>(source.config().layers);
  std::vector<ModelPolicy> policies;
  for (std::size_t l = 0; l < layers; ++l)
    for (const LayerPolicy& candidate : candidates[l]) {
      policies.emplace_back(layers, LayerPolicy::dense());
      policies.back()[l] = candidate;
    }
  const auto scores = score(source, moe, windows, policies, context);
  Sensitivity result(layers);
  std::size_t policy = 0;
  for (std::size_t l = 0; l < layers; ++l)
    for (std::size_t c = 0; c < candidates[l].size(); ++c)
      result[l].push_back(summarise(scores, policy++).kl);
  return result;
}

double rank_correlation(const Sensitivity& a, const Sensitivity& b) {
  const auto x = ranks(flattened(a)), y = ranks(flattened(b));
  const auto n = static_cast<double>(x.size());
  const double mean = (n - 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

}  // namespace ladimo
