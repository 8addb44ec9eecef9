#include "model/prepared_ffn.h"

#include <utility>

#include <ATen/TensorOperators.h>

namespace ladimo {

PreparedFfn::PreparedFfn(const DenseFfn& ffn) {
  rows_.gate = ffn.gate.contiguous();
  rows_.up = ffn.up.contiguous();
  rows_.down = ffn.down.t().contiguous();
  rows_.gate_bias = ffn.gate_bias;
  rows_.up_bias = ffn.up_bias;
  rows_.down_bias = ffn.down_bias;
  rows_.shared_neurons = rows_.gate.size(0);
  auto many = std::make_shared<DenseFfn>(ffn);
  many->gate = rows_.gate;
  many->up = rows_.up;
  many->down = rows_.down.t();
  many_ = std::move(many);
}

PreparedFfn::PreparedFfn(std::shared_ptr<const MoeLayer> layer) : many_(layer), sparse_(std::move(layer)) {
  const MoeWeights& weights = sparse_->weights();
  rows_.gate = weights.gate.contiguous();
  rows_.up = weights.up.contiguous();
  rows_.down = weights.down.contiguous();
  rows_.gate_bias = weights.gate_bias;
  rows_.up_bias = weights.up_bias;
  rows_.down_bias = weights.down_bias;
  if (weights.compensation.defined()) rows_.compensation = weights.compensation.contiguous();
  rows_.shared_neurons = weights.shared_neurons;
  rows_.slices = weights.routed();
}

FfnOutput PreparedFfn::forward(const at::Tensor& x) const {
  if (!are_few(x)) return many_->forward(x);
  if (sparse_ == nullptr) return {decode_ffn(rows_, x).to(x.scalar_type()), {}};
  const at::Tensor selected = sparse_->select(x);
  return {decode_ffn(rows_, x, selected).to(x.scalar_type()), experts_per_token(selected)};
}

std::shared_ptr<const FeedForward> prepared(std::shared_ptr<const FeedForward> ffn) {
  if (const auto* dense = dynamic_cast<const DenseFfn*>(ffn.get()); dense != nullptr && decodes(dense->gate))
    return std::make_shared<PreparedFfn>(*dense);
  if (auto layer = std::dynamic_pointer_cast<const MoeLayer>(ffn);
      layer != nullptr && decodes(layer->weights().gate))
    return std::make_shared<PreparedFfn>(std::move(layer));
  return ffn;
}

}  // namespace ladimo
