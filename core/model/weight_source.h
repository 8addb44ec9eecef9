// Tensors of a checkpoint on a device in the dtype that is computed with, one layer at a time.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "checkpoint/checkpoint.h"
#include "model/decoder_layer.h"

namespace ladimo {

/// A copy of a mapped tensor: f16 and bf16 become `dtype`.
at::Tensor to_tensor(const TensorView& view, at::Device device, at::ScalarType dtype);

class WeightSource {
 public:
  WeightSource(Checkpoint checkpoint, at::Device device, at::ScalarType dtype);

  const Checkpoint& checkpoint() const { return checkpoint_; }
  const ModelConfig& config() const { return checkpoint_.config(); }
  at::Device device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }

  /// One layer with its dense FFN.
  DecoderLayer layer(std::int64_t index) const;
  /// Embedding table [vocab, d] and the head; loaded once and kept.
  const at::Tensor& embedding() const;
  const Head& head() const;
  const Rotary& rotary() const;

 private:
  Checkpoint checkpoint_;
  at::Device device_;
  at::ScalarType dtype_;
  mutable at::Tensor embedding_;
  mutable Head head_;
  Rotary rotary_;
};

}  // namespace ladimo
