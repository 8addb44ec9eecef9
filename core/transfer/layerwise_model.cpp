#include "transfer/layerwise_model.h"

#include <algorithm>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.h"
#include "model/rotary.h"
#include "model/standard_moe.h"

namespace ladimo {
namespace {

/// Compares what two models hold under the same name.
class Comparison {
 public:
  Comparison(double tolerance, std::string place) : tolerance_(tolerance), place_(std::move(place)) {}

  void operator()(const at::Tensor& a, const at::Tensor& b, const std::string& name) const {
    if (!a.defined() && !b.defined()) return;
    // A bias of zeros is none.
    if (!a.defined() || !b.defined()) {
      if ((a.defined() ? a : b).any().item<bool>()) refuse(name, "is only in one of them");
      return;
    }
    if (a.sizes() != b.sizes())
      refuse(name, fmt::format("has the shape [{}], not [{}]", fmt::join(b.sizes(), ", "),
                               fmt::join(a.sizes(), ", ")));
    const double size = norm(a), error = norm(b.to(a.scalar_type()) - a);
    if (!(error <= tolerance_ * size))
      refuse(name, fmt::format("differs by {:.3g} of its size", size > 0 ? error / size : error));
  }

  /// Expert by expert.
  void experts(const at::Tensor& a, const at::Tensor& b, const char* name) const {
    if (a.sizes() != b.sizes()) return (*this)(a, b, name);
    for (std::int64_t e = 0; e < a.size(0); ++e) (*this)(a[e], b[e], fmt::format("{} of expert {}", name, e));
  }

 private:
  static double norm(const at::Tensor& t) { return t.to(at::kFloat).norm().item<double>(); }

  [[noreturn]] void refuse(const std::string& name, const std::string& what) const {
    throw Error(
        fmt::format("The model that was written differs from the run: {}, {}: it {}.", place_, name, what),
        "Check the disk, then {export_again}.");
  }

  double tolerance_;
  std::string place_;
};

void compare_ffns(const FeedForward& expected, const FeedForward& found, const Comparison& compare) {
  const auto* moe = dynamic_cast<const StandardMoe*>(&expected);
  const auto* other = dynamic_cast<const StandardMoe*>(&found);
  const auto* dense = dynamic_cast<const DenseFfn*>(&expected);
  const auto* other_dense = dynamic_cast<const DenseFfn*>(&found);
  if (dense != nullptr && other_dense != nullptr) {
    compare(dense->gate, other_dense->gate, "gate projection");
    compare(dense->up, other_dense->up, "up projection");
    compare(dense->down, other_dense->down, "down projection");
    return;
  }
  if (moe == nullptr || other == nullptr)
    return compare(at::ones({1}), at::Tensor(), "its kind, dense or with experts");
  compare(moe->router, other->router, "router");
  compare(moe->selection_bias, other->selection_bias, "bias of the choice of experts");
  compare.experts(moe->gate, other->gate, "gate projection");
  compare.experts(moe->up, other->up, "up projection");
  compare.experts(moe->down, other->down, "down projection");
  compare(moe->shared_gate, other->shared_gate, "gate projection of the shared expert");
  compare(moe->shared_up, other->shared_up, "up projection of the shared expert");
  compare(moe->shared_down, other->shared_down, "down projection of the shared expert");
  compare(moe->shared_router, other->shared_router, "router of the shared expert");
  const auto number = [](double value) { return at::full({1}, value); };
  compare(number(static_cast<double>(moe->gating.k)), number(static_cast<double>(other->gating.k)),
          "number of experts that run");
  compare(number(moe->gating.scale), number(other->gating.scale), "scale of the mixing weights");
  compare(number(moe->gating.normalised ? 1 : 2), number(other->gating.normalised ? 1 : 2),
          "normalisation of the mixing weights");
}

}  // namespace

DecoderLayer layer_of(const ModelConfig& config, std::int64_t index) {
  DecoderLayer layer;
  layer.heads = config.heads;
  layer.kv_heads = config.kv_heads;
  layer.head_dim = config.head_dim;
  layer.sliding_window = config.sliding_window_of(index);
  layer.rms_eps = config.rms_eps;
  layer.attention_scale = config.attention_scale();
  layer.residual_multiplier = config.residual_multiplier;
  return layer;
}

LayerwiseModel with_ffns(const WeightSource& source,
                         std::function<std::shared_ptr<const FeedForward>(std::int64_t layer)> ffn) {
  return {source.config(), [&source](const at::Tensor& ids) { return source.embed(ids); },
          [&source, ffn = std::move(ffn)](std::int64_t l) {
            DecoderLayer layer = source.layer_without_ffn(l);
            layer.ffn = ffn(l);
            if (!layer.ffn) layer.ffn = source.dense_ffn(l);
            return layer;
          },
          [&source] { return source.head(); }};
}

at::Tensor logits_of(const LayerwiseModel& model, const at::Tensor& ids, const Context& context) {
  at::Tensor h = model.embed(ids);
  const Rotary rotary(model.config, h.device());
  for (std::int64_t l = 0; l < model.config.layers; ++l) {
    context.check();
    const DecoderLayer layer = model.layer(l);
    h = layer.add_ffn(layer.attend(h, rotary)).h;
  }
  return model.head().logits(h.flatten(0, 1)).to(at::kCPU, at::kFloat);
}

void require_same_tensors(const LayerwiseModel& expected, const LayerwiseModel& found, double tolerance,
                          const Context& context) {
  Progress progress(context, expected.config.layers);
  for (std::int64_t l = 0; l < expected.config.layers; ++l) {
    const Comparison compare(tolerance, fmt::format("layer {}", l));
    const DecoderLayer a = expected.layer(l), b = found.layer(l);
    compare(a.attention_norm, b.attention_norm, "norm before the attention");
    compare(a.q, b.q, "query projection");
    compare(a.k, b.k, "key projection");
    compare(a.v, b.v, "value projection");
    compare(a.o, b.o, "output projection of the attention");
    compare(a.q_bias, b.q_bias, "bias of the queries");
    compare(a.k_bias, b.k_bias, "bias of the keys");
    compare(a.v_bias, b.v_bias, "bias of the values");
    compare(a.o_bias, b.o_bias, "bias of the attention's output");
    compare(a.q_norm, b.q_norm, "norm of the queries");
    compare(a.k_norm, b.k_norm, "norm of the keys");
    compare(a.ffn_norm, b.ffn_norm, "norm before the FFN");
    compare_ffns(*a.ffn, *b.ffn, compare);
    progress.advance();
  }
  const Comparison compare(tolerance, "outside the layers");
  const Head a = expected.head(), b = found.head();
  compare(a.norm, b.norm, "final norm");
  compare(a.weight, b.weight, "head");
}

}  // namespace ladimo
