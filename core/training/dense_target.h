// What training end to end imitates: the dense model's next-token distributions.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "base/context.h"
#include "model/weight_source.h"
#include "stream/residual_stream.h"

namespace ladimo {

/// The dense model after its last layer, on some windows. Its logits are computed again whenever they are
/// compared, because they would take too much memory. Keeps a reference to `source`.
class DenseTarget {
 public:
  /// Takes the windows through the dense model.
  DenseTarget(const WeightSource& source, const Windows& windows, const Context& context);

  /// Returns `weight` times the mean KL(dense || student) over the tokens that positions 1 ... W - 2 of
  /// `windows` predict, and its gradient with respect to h. h [n, W, d] is the student's residual stream
  /// after its last layer.
  std::pair<double, at::Tensor> kl_gradient(const at::Tensor& h, std::span<const std::int64_t> windows,
                                            double weight) const;

 private:
  const WeightSource& source_;
  Head head_;
  ResidualStream dense_;
};

}  // namespace ladimo
