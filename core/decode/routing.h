// Which tokens run which experts, for the decoding engine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/layer_policy.h"

namespace ladimo {

/// The tokens that run an expert and those that skip it, for every expert of one layer.
class ExpertTokens {
 public:
  /// Makes room for `experts` and `tokens`, so that choose() allocates nothing.
  void reserve(std::int64_t experts, std::int64_t tokens);

  /// Decides by a sparse policy. weights [tokens, experts], rows `stride` apart. Equal to select_experts()
  /// (model/moe_layer.h): of equal weights top_k takes the lower index.
  void choose(const float* weights, std::int64_t stride, std::int64_t tokens, std::int64_t experts,
              const LayerPolicy& policy);

  /// Rising numbers of tokens.
  std::span<const std::int32_t> running(std::int64_t expert) const { return list(running_, count_, expert); }
  std::span<const std::int32_t> skipping(std::int64_t expert) const {
    return list(skipping_, skip_count_, expert);
  }

 private:
  std::span<const std::int32_t> list(const std::vector<std::int32_t>& lists,
                                     const std::vector<std::size_t>& counts, std::int64_t expert) const {
    const auto e = static_cast<std::size_t>(expert);
    return {lists.data() + e * capacity_, counts[e]};
  }
  void add(std::int32_t token, std::size_t expert, bool on);

  std::size_t capacity_ = 0;                      // of each list
  std::vector<std::int32_t> running_, skipping_;  // [experts, capacity]
  std::vector<std::size_t> count_, skip_count_;   // [experts]
  std::vector<std::int32_t> order_;               // [experts]
  std::vector<char> on_;                          // [experts]
};

}  // namespace ladimo
