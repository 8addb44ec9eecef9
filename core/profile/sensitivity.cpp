#include "profile/sensitivity.h"

#include "base/correlation.h"
#include "evaluate/evaluation.h"

namespace ladimo {
namespace {

std::vector<double> flattened(const Sensitivity& table) {
  std::vector<double> values;
  for (const auto& row : table) values.insert(values.end(), row.begin(), row.end());
  return values;
}

}  // namespace

Sensitivity measure_sensitivity(const WeightSource& source, const MoeLayers& moe,
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
  return rank_correlation(flattened(a), flattened(b)).value_or(0);
}

}  // namespace ladimo
