// Which inputs of a layer's products decoding reads.
#pragma once

#include <array>
#include <vector>

#include "checkpoint/config.h"
#include "policy/layer_policy.h"

namespace ladimo {

/// An input x_i of a product is read iff |x_i| >= its limit. One list of limits per product, as many as it
/// has inputs, or none where every input is read.
class InputLimits {
 public:
  InputLimits() = default;
  /// The limits of a layer under a policy. neuron_norms [f] as PreparedFfn has them.
  InputLimits(const LayerPolicy& policy, const ModelConfig& config, const std::vector<float>& neuron_norms);

  const std::vector<float>& operator[](Product product) const {
    return of_[static_cast<std::size_t>(product)];
  }

 private:
  std::vector<float>& of(Product product) { return of_[static_cast<std::size_t>(product)]; }

  std::array<std::vector<float>, all_products.size()> of_;
};

}  // namespace ladimo
