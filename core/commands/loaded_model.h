// An opened MODEL or RUN with all that working on it needs: weights, converted layers, tokenizer.
#pragma once

#include <map>
#include <memory>

#include "commands/opened_model.h"
#include "model/decoder.h"

namespace ladimo {

/// What is asked for is loaded; with `keep` it also stays, so that another policy costs no loading. Not
/// thread-safe.
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
  /// For measuring: fp32. Where that is more than memory holds, nothing of it is kept.
  const Weights& exact() const { return weights(at::kFloat); }
  /// The whole model in memory, in the dtype that fits it (holding_dtype).
  Decoder decoder(const ModelPolicy& policy) const;
  at::ScalarType held_dtype() const { return held_; }
  const Runtime& runtime() const { return runtime_; }
  at::Device device() const { return runtime_.device; }

  /// Loads all that any policy may need. Precondition: `keep`.
  void preload(const Context& context) const;

 private:
  const Weights& weights(at::ScalarType dtype) const;

  OpenedModel opened_;
  Runtime runtime_;
  bool keep_;
  at::ScalarType held_;
  std::unique_ptr<Tokenizer> tokenizer_;
  mutable std::map<at::ScalarType, Weights> weights_;
};

}  // namespace ladimo
