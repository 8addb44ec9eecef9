// An opened MODEL or RUN with everything needed to work on it: weights, converted layers, tokenizer.
#pragma once

#include <map>
#include <memory>

#include "commands/opened_model.h"
#include "decode/decoder.h"

namespace ladimo {

/// Weights are loaded when they are asked for. With `keep` they also stay in memory, so that another policy
/// needs no loading. Not thread-safe.
class LoadedModel {
 public:
  LoadedModel(OpenedModel opened, const Runtime& runtime, bool keep = false);

  const OpenedModel& opened() const { return opened_; }
  const ModelConfig& config() const { return opened_.checkpoint.config(); }
  const Tokenizer& tokenizer() const { return *tokenizer_; }

  /// Weights and converted layers (null for a dense model) in one dtype.
  struct Weights {
    WeightSource source;
    MoeLayers layers;
  };
  /// Weights in fp32, for measuring. With `keep` they stay in memory where they fit (fits_in_fp32).
  const Weights& exact() const { return weights(at::kFloat); }
  /// The whole model in memory, its weights held as the runtime says.
  Decoder decoder(const ModelPolicy& policy) const;
  /// The same with weights as they are stored, in held_dtype(). It shares nothing with other decoders.
  Decoder decoder_as_stored(const ModelPolicy& policy) const;
  at::ScalarType held_dtype() const { return held_; }
  const Runtime& runtime() const { return runtime_; }
  at::Device device() const { return runtime_.device; }

  /// Loads everything that any policy may need. Precondition: `keep`.
  void preload(const Context& context) const;

 private:
  const Weights& weights(at::ScalarType dtype) const;
  std::shared_ptr<PreparedModel> prepared_model() const;

  OpenedModel opened_;
  Runtime runtime_;
  bool keep_;
  at::ScalarType held_;
  std::unique_ptr<Tokenizer> tokenizer_;
  mutable std::map<at::ScalarType, Weights> weights_;
  mutable std::shared_ptr<PreparedModel> prepared_;  // with `keep`
};

}  // namespace ladimo
