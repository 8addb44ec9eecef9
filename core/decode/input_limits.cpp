#include "decode/input_limits.h"

namespace ladimo {

InputLimits::InputLimits(const LayerPolicy& policy, const ModelConfig& config,
                         const std::vector<float>& neuron_norms) {
  const auto set_all = [&](Product product, std::int64_t inputs) {
    if (const double threshold = policy.cut(product).threshold; threshold > 0)
      of(product).assign(static_cast<std::size_t>(inputs), static_cast<float>(threshold));
  };
  set_all(Product::qkv, config.hidden_size);
  set_all(Product::o, config.heads * config.head_dim);
  set_all(Product::gate_up, config.hidden_size);
  set_all(Product::down, static_cast<std::int64_t>(neuron_norms.size()));
  std::vector<float>& of_neurons = of(Product::down);
  for (std::size_t j = 0; j < of_neurons.size(); ++j) of_neurons[j] /= neuron_norms[j];
}

}  // namespace ladimo
