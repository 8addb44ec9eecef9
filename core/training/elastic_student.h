// Consecutive layers of the converted model as one function that is differentiable with respect to all
// converted layers among them. The finish trains them (docs/method.md "The finish, all layers").
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "model/moe_layer.h"
#include "model/weight_source.h"
#include "stream/residual_stream.h"

namespace ladimo {

/// The selection r >= threshold as 0 and 1 [T, E]. Its gradient is that of a sigmoid of `width` (one number,
/// in units of the routing weight) around the threshold, minus its mean. The threshold thus follows the
/// routing weights, so that as many experts run as before, and an expert's gain from running is compared with
/// that of the others at the margin.
at::Tensor differentiable_selection(const at::Tensor& routing_weights, double threshold,
                                    const at::Tensor& width);
/// The same for the k greatest of every token: the threshold is its k-th greatest weight, and the mean is
/// that over its own experts.
at::Tensor differentiable_top_k(const at::Tensor& routing_weights, std::int64_t k, const at::Tensor& width);

/// Returns `weights` with shifts along the slider (MoeWeights::at). The shifts lead from the dense FFN, where
/// all experts run, through the given weights, where half of them run. `thresholds` holds sparse policies by
/// falling activity, with the activity that each has. Without thresholds the weights stay as they are.
MoeWeights with_shifts(MoeWeights weights, const DenseFfn& ffn, const std::vector<LayerPolicy>& thresholds);

/// Consecutive layers of a model, empty where a layer was not converted.
using ConvertedLayers = std::vector<std::optional<MoeWeights>>;

/// What a forward pass of the student computed.
struct ElasticPass {
  at::Tensor h;  // [n, W, d] the residual stream after the last layer

  /// A tensor that the pass used: parameter `parameter`, plus `movement` times parameter `shift` where that
  /// is given.
  struct Used {
    at::Tensor tensor;
    std::size_t parameter = 0;
    std::optional<std::size_t> shift = {};
    double movement = 0;
  };
  std::vector<Used> used;

  /// Adds the gradients of a number with respect to the student's parameters to `sums`, given the one with
  /// respect to h. An entry that is undefined begins at zero. Can be called once, and only if autograd was
  /// on.
  void differentiate(const at::Tensor& gradient, std::vector<at::Tensor>& sums) const;
};

class ElasticStudent {
 public:
  /// Holds as many layers of the model as `layers` has, the first of them layer `first`. The converted
  /// weights are copied and trained, in fp32. `slope` is the width of the selection in standard deviations of
  /// a layer's routing weights. A router's bias of zeros is not trained. forward() multiplies in `compute`,
  /// fp32 or bf16; the residual stream, the norms' sums, softmax and the routers are fp32.
  ElasticStudent(const WeightSource& source, std::int64_t first, ConvertedLayers layers, double slope,
                 at::ScalarType compute);

  /// Takes h [n, W, d] fp32, the residual stream before the first layer, through all layers. `policy` has an
  /// entry for each of them, without cuts.
  ElasticPass forward(const at::Tensor& h, const ModelPolicy& policy) const;

  /// For every converted layer: gate, up and down with their shifts, the compensation, and the router with
  /// its hidden layer. They may be changed in place.
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  /// For every parameter the step at a learning rate of 1: its initial root mean square times a factor for
  /// its kind. A shift uses the root mean square of the weights that it shifts.
  const std::vector<double>& step_sizes() const { return step_sizes_; }
  /// Rounds the converted layers to what a file in `storage` holds of them.
  void round(at::ScalarType storage);
  /// A copy of the converted layers in their present state.
  ConvertedLayers layers() const;

 private:
  MoeWeights used_at(std::size_t layer, const LayerPolicy& policy,
                     std::vector<ElasticPass::Used>& used) const;

  const WeightSource& source_;
  std::vector<DecoderLayer> decoder_;  // in the dtype that forward() multiplies in
  ConvertedLayers moe_;
  std::vector<at::Tensor> parameters_;
  std::vector<std::vector<std::size_t>> places_;  // per layer: the parameter of every kind that it has
  std::vector<double> step_sizes_;
  double slope_;
  at::ScalarType compute_;
};

}  // namespace ladimo
