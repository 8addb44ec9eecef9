// Tensors of a checkpoint on a device in the dtype that is computed with, one layer at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

#include "checkpoint/checkpoint.h"
#include "model/decoder_layer.h"

namespace ladimo {

/// A copy of a mapped tensor as `dtype`. Throws Refusal for a dtype that this program does not compute with.
at::Tensor to_tensor(const TensorView& view, at::Device device, at::ScalarType dtype);

class WeightSource {
 public:
  /// `keep`: tensors stay in memory once they were asked for; else every call loads them anew.
  WeightSource(Checkpoint checkpoint, at::Device device, at::ScalarType dtype, bool keep = false);

  const Checkpoint& checkpoint() const { return checkpoint_; }
  const ModelConfig& config() const { return checkpoint_.config(); }
  at::Device device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }

  /// One layer with its dense FFN.
  DecoderLayer layer(std::int64_t index) const;
  /// The same in two halves, for those who need only one (`ffn` is null in the first).
  DecoderLayer layer_without_ffn(std::int64_t index) const;
  std::shared_ptr<const DenseFfn> dense_ffn(std::int64_t index) const;
  /// Embedding table [vocab, d] and the head; loaded at the first call and kept. (What keeps is not
  /// thread-safe.)
  const at::Tensor& embedding() const;
  const Head& head() const;
  const Rotary& rotary() const { return rotary_; }

 private:
  at::Tensor load(Role role, std::int64_t layer = 0) const;

  Checkpoint checkpoint_;
  at::Device device_;
  at::ScalarType dtype_;
  bool keep_;
  mutable std::map<std::string, at::Tensor> kept_;
  mutable at::Tensor embedding_;
  mutable Head head_;
  Rotary rotary_;
};

}  // namespace ladimo
