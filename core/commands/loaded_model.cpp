#include "commands/loaded_model.h"

#include <utility>

#include "run/model_check.h"

namespace ladimo {
namespace {

/// Makes converted layers stay in memory once they were read.
MoeLayers kept(MoeLayers from) {
  MoeLayers layers = from;
  layers.load = [load = std::move(from.load),
                 known = std::map<int, std::shared_ptr<const MoeWeights>>()](int layer) mutable {
    auto& weights = known[layer];
    if (!weights) weights = load(layer);
    return weights;
  };
  return layers;
}

/// Throws Refusal for another tokenizer: it would cut text into other tokens than those that the run was
/// calibrated on.
void require_same_tokenizer(const OpenedModel& opened, const Tokenizer& tokenizer) {
  const auto known = opened.run ? opened.run->recipe().tokenizer_fingerprint : std::string();
  if (!known.empty() && known != tokenizer.fingerprint())
    throw Refusal("The tokenizer has changed since the run was made.",
                  "Put back the tokenizer that the model was converted with, or {new_conversion}.",
                  opened.checkpoint.path());
}

}  // namespace

LoadedModel::LoadedModel(OpenedModel opened, const Runtime& runtime, bool keep)
    : opened_(std::move(opened)),
      runtime_(runtime),
      keep_(keep),
      held_(holding_dtype(opened_.checkpoint.config(), runtime)),
      tokenizer_(load_tokenizer(opened_.checkpoint.files(), model_tokens(opened_.checkpoint.config()))) {
  require_same_tokenizer(opened_, *tokenizer_);
}

const LoadedModel::Weights& LoadedModel::weights(at::ScalarType dtype) const {
  const auto found = weights_.find(dtype);
  if (found != weights_.end()) return found->second;
  const bool keep = keep_ && dtype == held_;
  auto layers = opened_.layers(runtime_.device, dtype);
  if (keep && layers) layers = kept(std::move(layers));
  const auto stream = opened_.run ? stream_dtype(opened_.run->recipe()) : at::kFloat;
  WeightSource source(opened_.checkpoint, runtime_.device, dtype, {keep, opened_.original, stream});
  return weights_.emplace(dtype, Weights{std::move(source), std::move(layers)}).first->second;
}

Decoder LoadedModel::decoder(const ModelPolicy& policy) const {
  const Weights& held = weights(held_);
  const auto ffns = policy_ffns(held.layers, policy);
  if (!keep_ || !Decoder::can_prepare(held.source, ffns)) return Decoder(held.source, ffns);
  if (prepared_ == nullptr) prepared_ = std::make_shared<PreparedModel>(held.source);
  return Decoder(*prepared_, ffns, config().layers);
}

void LoadedModel::preload(const Context& context) const {
  const Weights& held = weights(held_);
  for (int l = 0; l < config().layers; ++l) {
    context.check();
    if (opened_.has_dense(l)) held.source.layer(l);
    if (opened_.has_converted(l)) held.layers.load(l);
  }
  held.source.head();
}

}  // namespace ladimo
