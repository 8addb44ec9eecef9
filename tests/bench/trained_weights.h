// Weights of a LLaMA model that was never trained but whose activations look as if it had been, so that
// routing has something to find.
//
// A token's embedding is the sum of a direction that all tokens share, the direction of the token's topic and
// a part of its own. A neuron also belongs to a topic: its gate is shut for most tokens (by the shared
// direction), open for the tokens of its topic, and otherwise moves with the neurons of the same topic and
// layer. What a neuron does to the output is log-normal over several orders of magnitude. Every layer adds
// little to the residual stream, so that any number of layers stays well-conditioned. The head reads the
// embedding back: the token itself and its topic are likely to follow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/random.h"
#include "support/model_folder.h"

namespace ladimo::bench {

class TrainedWeights {
 public:
  explicit TrainedWeights(const testing::ModelShape& shape);

  /// One tensor, row-major, in the shape's dtype. Every row has random numbers of its own, so the bytes do
  /// not depend on how many processors computed them.
  std::vector<std::byte> bytes_of(const ExpectedTensor& tensor) const;

 private:
  using Vector = std::vector<double>;
  /// Fills one row of a tensor.
  using FillRow = std::function<void(Random&, Vector& row)>;

  FillRow rows_of(const ExpectedTensor& tensor) const;
  FillRow around(double mean, double deviation) const;
  FillRow tokens(const Vector& scales) const;
  FillRow gate(std::int64_t layer) const;
  FillRow down(std::int64_t layer) const;
  Vector direction(const char* purpose, std::int64_t index = 0) const;

  testing::ModelShape shape_;
  double root_;                 // square root of the hidden size
  double stream_scale_;         // standard deviation of the embedding's entries
  double layer_output_;         // standard deviation of what attention or an FFN adds to the stream
  Vector common_;               // [d]
  std::vector<Vector> topics_;  // [d] each
  Vector signs_;  // [d], 1 or -1: the sign with which the head reads each entry of the embedding
};

}  // namespace ladimo::bench
