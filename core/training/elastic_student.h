// The converted model as one function that is differentiable with respect to all of its converted layers. The
// end-to-end finish trains it (docs/method.md "The finish, all layers").
#pragma once

#include <optional>
#include <vector>

#include "model/moe_layer.h"
#include "model/weight_source.h"
#include "stream/residual_stream.h"

namespace ladimo {

/// The thresholds of all layers at one position of the slider, empty where a layer stays dense.
using SliderPosition = std::vector<std::optional<double>>;

/// The selection r >= threshold as 0 and 1 [T, E]. Its gradient is that of a sigmoid of `width` (one number,
/// in units of the routing weight) around the threshold, minus its mean. The threshold thus follows the
/// routing weights, so that as many experts run as before, and an expert's gain from running is compared with
/// that of the others at the margin.
at::Tensor differentiable_selection(const at::Tensor& routing_weights, double threshold,
                                    const at::Tensor& width);

/// Returns `weights` with shifts along the slider (MoeWeights::at). The shifts lead from the dense FFN, where
/// all experts run, through the given weights, where half of them run. `thresholds` holds sparse policies by
/// falling activity, with the activity that each has. Without thresholds the weights stay as they are.
MoeWeights with_shifts(MoeWeights weights, const DenseFfn& ffn, const std::vector<LayerPolicy>& thresholds);

/// Converted layers by their number in the model, empty where a layer was not converted.
using ConvertedLayers = std::vector<std::optional<MoeWeights>>;

class ElasticStudent {
 public:
  /// Holds the whole model. The weights of `layers` are copied and trained. `slope` is the width of the
  /// selection in standard deviations of a layer's routing weights.
  ElasticStudent(const WeightSource& source, ConvertedLayers layers, double slope);

  /// The residual stream after the last layer [n, W, d]. It is differentiable with respect to parameters()
  /// where autograd is on.
  at::Tensor forward(const Windows& windows, const SliderPosition& position) const;
  /// The residual stream of the dense model after its last layer.
  ResidualStream dense(const Windows& windows, const Context& context) const;

  /// For every converted layer: gate, up and down with their shifts, the compensation, and the router with
  /// its hidden layer.
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  /// For every parameter the step at a learning rate of 1: its initial root mean square times a factor for
  /// its kind. A shift uses the root mean square of the weights that it shifts.
  const std::vector<double>& step_sizes() const { return step_sizes_; }
  /// A copy of the converted layers in their present state.
  ConvertedLayers layers() const;

 private:
  const WeightSource& source_;
  std::vector<DecoderLayer> decoder_;
  ConvertedLayers moe_;
  std::vector<at::Tensor> parameters_;
  std::vector<double> step_sizes_;
  double slope_;
};

}  // namespace ladimo
