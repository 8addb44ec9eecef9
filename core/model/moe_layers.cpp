#include "model/moe_layers.h"

namespace ladimo {

std::vector<std::shared_ptr<const FeedForward>> policy_ffns(const MoeLayers& moe, const ModelPolicy& policy) {
  std::vector<std::shared_ptr<const FeedForward>> ffns(policy.size());
  for (std::size_t l = 0; l < policy.size(); ++l)
    if (policy[l].kind != LayerPolicy::Kind::dense)
      ffns[l] = std::make_shared<MoeLayer>(moe.load(static_cast<int>(l)), policy[l]);
  return ffns;
}

}  // namespace ladimo
