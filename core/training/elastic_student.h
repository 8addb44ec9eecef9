// The converted model as one function that can be differentiated with respect to all of its converted layers:
// what the end-to-end finish trains (docs/method.md "The finish, all layers").
#pragma once

#include <optional>
#include <vector>

#include "model/moe_layer.h"
#include "model/weight_source.h"
#include "stream/residual_stream.h"

namespace ladimo {

/// Thresholds of all layers at one position of the slider; none where the layer stays dense.
using SliderPosition = std::vector<std::optional<double>>;

/// The selection r >= threshold as 0 and 1 [T, E]. Its gradient is that of a sigmoid of `width` (in units of
/// the routing weight) around the threshold, minus its mean: the threshold moves along so that as many
/// experts run as before, and what an expert gains by running is weighed against what the others at the
/// margin gain.
at::Tensor differentiable_selection(const at::Tensor& routing_weights, double threshold, double width);

/// `weights` with shifts along the slider (MoeWeights::at) that lead from the dense FFN, where all experts
/// run, through the weights as they are, where half of them do. `thresholds`: sparse policies by falling
/// activity with the activity that they have; none: as they are.
MoeWeights with_shifts(MoeWeights weights, const DenseFfn& ffn, const std::vector<LayerPolicy>& thresholds);

/// Converted layers by their number in the model; empty where a layer was not converted.
using ConvertedLayers = std::vector<std::optional<MoeWeights>>;

class ElasticStudent {
 public:
  /// Holds the whole model. The weights of `layers` are copied and trained. `slope`: the selection's width in
  /// standard deviations of a layer's routing weights.
  ElasticStudent(const WeightSource& source, ConvertedLayers layers, double slope);

  /// The residual stream after the last layer [n, W, d]; differentiable with respect to parameters() where
  /// autograd is on.
  at::Tensor forward(const Windows& windows, const SliderPosition& position) const;
  /// That of the dense model.
  ResidualStream dense(const Windows& windows, const Context& context) const;

  /// gate, up, down with their shifts, compensation, router with its hidden layer of every converted layer.
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  /// Of every parameter the step that a learning rate of 1 means: its root mean square at the beginning (of a
  /// shift that of the weights it shifts), times the pace of its kind.
  const std::vector<double>& step_sizes() const { return step_sizes_; }
  /// The converted layers as they are now, copied.
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
