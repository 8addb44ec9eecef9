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
      held_(holding_dtype(opened_.checkpoint, runtime)),
      tokenizer_(load_tokenizer(opened_.checkpoint.files(), model_tokens(opened_.checkpoint.config()))) {
  require_same_tokenizer(opened_, *tokenizer_);
}

const LoadedModel::Weights& LoadedModel::weights(at::ScalarType dtype) const {
  const auto found = weights_.find(dtype);
  if (found != weights_.end()) return found->second;
  // Decoding on the CPU keeps prepared weights (decode/prepared_model.h); fp32 is kept for measuring.
  const bool keep = keep_ && (dtype == held_ || fits_in_fp32(config()));
  const bool keep_source = keep && (dtype == at::kFloat || !runtime_.device.is_cpu());
  auto layers = opened_.layers(runtime_.device, dtype);
  if (keep && layers) layers = kept(std::move(layers));
  const auto stream = opened_.run ? stream_dtype(opened_.run->recipe()) : at::kFloat;
  WeightSource source(opened_.checkpoint, runtime_.device, dtype, {keep_source, opened_.original, stream});
  return weights_.emplace(dtype, Weights{std::move(source), std::move(layers)}).first->second;
}

Decoder LoadedModel::decoder(const ModelPolicy& policy) const {
  const auto prepared = prepared_model();
  if (prepared == nullptr) return decoder_as_stored(policy);
  return Decoder(*prepared, policy_ffns(weights(held_).layers, policy), policy, config().layers);
}

Decoder LoadedModel::decoder_as_stored(const ModelPolicy& policy) const {
  const Weights& held = weights(held_);
  return Decoder(held.source, policy_ffns(held.layers, policy), policy, config().layers);
}

/// What decoders of several policies share where it is kept; null where libtorch does the work.
std::shared_ptr<PreparedModel> LoadedModel::prepared_model() const {
  const WeightSource& source = weights(held_).source;
  if (!Decoder::can_prepare(source, {})) return nullptr;
  if (prepared_ != nullptr) return prepared_;
  auto prepared = std::make_shared<PreparedModel>(source, runtime_.holding);
  if (keep_) prepared_ = prepared;
  return prepared;
}

void LoadedModel::preload(const Context& context) const {
  const Weights& held = weights(held_);
  const auto prepared = prepared_model();
  for (int l = 0; l < config().layers; ++l) {
    context.check();
    if (prepared == nullptr) {
      if (opened_.has_dense(l)) held.source.layer(l);
      if (opened_.has_converted(l)) held.layers.load(l);
      continue;
    }
    prepared->attention(l);
    if (opened_.has_dense(l)) prepared->dense_ffn(l);
    if (!opened_.has_converted(l)) continue;
    const auto converted = held.layers.load(l);
    if (!converted->moves()) prepared->ffn(converted);  // else every policy has weights of its own
  }
  if (prepared == nullptr)
    held.source.head();
  else
    prepared->head(), prepared->embedding();
}

}  // namespace ladimo
