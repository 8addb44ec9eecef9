// A model that is computed one layer at a time, wherever its layers come from.
#pragma once

#include <functional>

#include "base/context.h"
#include "model/decoder_layer.h"
#include "model/weight_source.h"

namespace ladimo {

struct LayerwiseModel {
  ModelConfig config;
  std::function<at::Tensor(const at::Tensor& ids)> embed;  // ids [B, W] -> the residual stream [B, W, d]
  std::function<DecoderLayer(std::int64_t layer)> layer;   // with its FFN
  std::function<Head()> head;
};

/// A layer without weights: what its configuration says of it.
DecoderLayer layer_of(const ModelConfig& config, std::int64_t index);

/// The model of `source` with other FFNs; a null one stays dense. Keeps a reference to `source`.
LayerwiseModel with_ffns(const WeightSource& source,
                         std::function<std::shared_ptr<const FeedForward>(std::int64_t layer)> ffn);

/// Logits [B W, vocab] fp32 of ids [B, W] int64. Holds one layer at a time.
at::Tensor logits_of(const LayerwiseModel& model, const at::Tensor& ids, const Context& context);

/// Compares the tensors of two models that should be the same, layer by layer. Two tensors are the same where
/// ||a - b|| <= tolerance ||a||. Throws Error that names the first layer and tensor that differ: "layer 3,
/// down projection of expert 7".
void require_same_tensors(const LayerwiseModel& expected, const LayerwiseModel& found, double tolerance,
                          const Context& context);

}  // namespace ladimo
