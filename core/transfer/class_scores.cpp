#include "transfer/class_scores.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "evaluate/evaluation.h"
#include "evaluate/scores.h"

namespace ladimo {

void add_model(Branches& models, const ModelPolicy& policy, const LayersOfClass& layers) {
  models.first_layer.push_back(
      std::ranges::find_if_not(policy, [](const auto& layer) { return layer.original(); }) - policy.begin());
  models.layers = [before = std::move(models.layers), &policy, layers](int l) {
    auto all = before ? before(l) : std::vector<BranchLayer>();
    const bool dense = policy[static_cast<std::size_t>(l)].kind == LayerPolicy::Kind::dense;
    all.push_back({dense ? nullptr : std::make_shared<const StandardMoe>(layers(l)), 0, 0});
    return all;
  };
}

std::vector<double> kls_of_class(const WeightSource& source, const ModelPolicy& policy,
                                 const std::vector<LayersOfClass>& ways, const Windows& windows,
                                 const Context& context) {
  Branches models;
  for (const LayersOfClass& layers : ways) add_model(models, policy, layers);
  const auto scores = score(source, models, windows, context);
  std::vector<double> kls;
  for (std::size_t m = 0; m < ways.size(); ++m) kls.push_back(summarise(scores, m).kl);
  return kls;
}

}  // namespace ladimo
