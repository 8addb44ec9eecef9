// Tensors of a checkpoint, one layer at a time, on a device and in the dtype of the computation.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <ATen/core/Tensor.h>

#include "checkpoint/checkpoint.h"
#include "model/decoder_layer.h"

namespace ladimo {

/// Copies a mapped tensor as `dtype`, from `view.dtype`. Throws Refusal for a stored dtype that this program
/// cannot read.
at::Tensor to_tensor(const TensorView& view, at::Device device, at::ScalarType dtype);

/// Rows of the embedding table as they enter the residual stream: times the embedding multiplier.
at::Tensor entering_stream(const at::Tensor& rows, const ModelConfig& config);

/// Checkpoint::converted_dtype() as a torch type.
at::ScalarType storage_dtype(const Checkpoint& checkpoint);

class WeightSource {
 public:
  struct Options {
    bool keep = false;  // tensors stay in memory once they were asked for (not thread-safe); else every call
                        // loads them anew
    std::optional<Checkpoint> original = {};  // of a native folder: holds the dense FFNs that it lacks
    at::ScalarType stream = at::kFloat;       // fp32 or bf16: the dtype in which residual streams are kept
  };
  WeightSource(Checkpoint checkpoint, at::Device device, at::ScalarType dtype)
      : WeightSource(std::move(checkpoint), device, dtype, Options{}) {}
  WeightSource(Checkpoint checkpoint, at::Device device, at::ScalarType dtype, Options options);

  /// The same tensors in fp32. Quantised ones are not rounded to the dtype as which they are otherwise read.
  /// Nothing is kept.
  WeightSource exact() const;

  const Checkpoint& checkpoint() const { return checkpoint_; }
  const ModelConfig& config() const { return checkpoint_.config(); }
  at::Device device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }
  at::ScalarType stream_dtype() const { return options_.stream; }

  /// One layer with its dense FFN.
  DecoderLayer layer(std::int64_t index) const;
  /// A layer in two halves, for callers that need only one. `ffn` is null in the first half. Where a native
  /// folder has neither a dense FFN nor an original, its converted FFN replaces it with all experts on.
  DecoderLayer layer_without_ffn(std::int64_t index) const;
  std::shared_ptr<const DenseFfn> dense_ffn(std::int64_t index) const;
  /// Hidden states [..., d] of ids [...] int64, as they enter the residual stream. Rows are read one by one,
  /// without loading the table.
  at::Tensor embed(const at::Tensor& ids) const;
  /// The whole embedding table [vocab, d], and the head.
  at::Tensor embedding() const { return load(Role::embedding); }
  Head head() const;
  const Rotary& rotary() const { return rotary_; }

 private:
  TensorView find(Role role, std::int64_t layer) const;
  at::Tensor load(Role role, std::int64_t layer = 0) const;

  Checkpoint checkpoint_;
  at::Device device_;
  at::ScalarType dtype_;
  Options options_;
  bool rounded_ = true;  // quantised tensors, to the dtype of their view
  mutable std::map<std::string, at::Tensor> kept_;
  Rotary rotary_;
};

}  // namespace ladimo
