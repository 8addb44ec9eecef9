#include "transfer/moe_fit.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/log.h"
#include "convert/ridge.h"
#include "stream/layer_rows.h"
#include "stream/walk.h"
#include "stream/window_order.h"

namespace ladimo {
namespace {

/// What is predicted from a layer's inputs: weight [n, d], and bias [n], undefined: none.
struct Regression {
  at::Tensor weight, bias;
};

/// Ridge regression of `targets` of the inputs x, [rows, n], on x.
template <class Targets>
Regression regress(const LayerRows& rows, std::int64_t targets_count, bool with_bias, double ridge,
                   Targets targets, const Context& context) {
  const auto d = rows.hidden_size(), n = d + (with_bias ? 1 : 0);
  const auto wide = rows.options().dtype(at::kDouble);
  auto gram = at::zeros({n, n}, wide), moment = at::zeros({n, targets_count}, wide);
  for_chunks(rows.count(), chunk_rows(d), [&](std::int64_t begin, std::int64_t end) {
    context.check();
    const auto x = rows.x(begin, end);
    const auto a = with_bias ? with_one(x) : x;
    add_gram(gram, a);
    moment += at::mm(a.t(), targets(x));
  });
  const auto solution = ridge_solution(gram, moment, ridge);
  return {solution.slice(0, 0, d).t().contiguous(), with_bias ? solution[d].clone() : at::Tensor()};
}

/// ||E_i(x)|| of experts [E, m, d] in units of the layer's mean output norm, as routing weights are.
class ExpertNorms {
 public:
  ExpertNorms(at::Tensor gate, at::Tensor up, const at::Tensor& down, const LayerRows& rows)
      : gate_(std::move(gate)), up_(std::move(up)), gram_(at::bmm(down, down.transpose(1, 2))) {
    double sum = 0;
    for_chunks(rows.count(), chunk_rows(rows.hidden_size()), [&](std::int64_t begin, std::int64_t end) {
      sum += rows.y(begin, end).norm(2, 1).sum().item<double>();
    });
    unit_ = std::max(sum / static_cast<double>(std::max<std::int64_t>(rows.count(), 1)), 1e-12);
  }

  at::Tensor operator()(const at::Tensor& x) const {
    const auto h = swiglu(x, gate_.flatten(0, 1), up_.flatten(0, 1), {}, {})
                       .view({x.size(0), gate_.size(0), -1})
                       .transpose(0, 1);
    return (at::bmm(h, gram_) * h).sum(2).clamp_min(0).sqrt().t() / unit_;
  }

 private:
  at::Tensor gate_, up_, gram_;
  double unit_ = 1;
};

class ClassFit {
 public:
  ClassFit(const MoeClass& target, const MoeLayers& moe, const ModelPolicy& policy, const Recipe& recipe,
           at::ScalarType storage, const Context& context)
      : target_(target),
        moe_(moe),
        policy_(policy),
        settings_(recipe.stage1),
        storage_(storage),
        context_(context) {}

  bool routes(std::int64_t l) const { return policy(l).kind != LayerPolicy::Kind::dense; }

  FittedLayer fit(std::int64_t l, const LayerRows& rows) const {
    const auto weights = moe_.load(static_cast<int>(l));
    std::int64_t k = policy(l).k;
    const auto routed = in_class(weights->at(policy(l)), k, rows.train());
    const auto before = standard_layer(target_, routed, k, storage_);
    const auto after = refitted(before, rows.train());
    const auto held_back = rows.validation();
    const double error_before = error_of(before, held_back), error_after = error_of(after, held_back);
    log_debug(fmt::format("fit for {}, layer {}: {} -> {}", target_.name, l, error_before, error_after));
    return {before, error_after < error_before ? after : before};
  }

 private:
  const LayerPolicy& policy(std::int64_t l) const { return policy_[static_cast<std::size_t>(l)]; }

  /// The layer with a router that the class can have, and with shared neurons only where it can have them;
  /// `k` then counts the experts that they became.
  MoeWeights in_class(MoeWeights weights, std::int64_t& k, const LayerRows& rows) const {
    weights.compensation = weights.down_bias = at::Tensor();
    const bool linear = !weights.router_hidden.defined();
    const bool splits = !target_.shared && weights.shared_neurons > 0;
    if (linear && target_.selection_bias && !splits) return weights;
    const auto m = weights.expert_neurons();
    const auto added = splits ? (weights.shared_neurons + m - 1) / m : 0;
    const MoeWeights run = weights;
    if (splits) {
      for (at::Tensor* neurons : {&weights.gate, &weights.up, &weights.down})
        *neurons = at::constant_pad_nd(*neurons, {0, 0, added * m - weights.shared_neurons, 0});
      weights.shared_neurons = 0;
      k += added;
    }
    const auto first = [&](const at::Tensor& neurons) {
      return neurons.slice(0, 0, added * m).view({added, m, -1});
    };
    std::optional<ExpertNorms> norms;
    if (splits) norms.emplace(first(weights.gate), first(weights.up), first(weights.down), rows);
    const auto router = regress(
        rows, added + run.routed(), target_.selection_bias, settings_.router_ridge,
        [&](const at::Tensor& x) {
          return norms ? at::cat({(*norms)(x), run.route(x)}, 1) : run.route(x);
        },
        context_);
    weights.router = router.weight;
    weights.router_bias =
        router.bias.defined() ? router.bias : at::zeros({weights.router.size(0)}, weights.router.options());
    weights.router_hidden = weights.router_hidden_bias = at::Tensor();
    return weights;
  }

  /// [shared h, w_i h_i] [T, S + E m].
  static at::Tensor equations(const StandardMoe& layer, const at::Tensor& x) {
    const auto routed = (layer.routed_hidden(x) * layer.mixing(x).unsqueeze(2)).flatten(1);
    if (!layer.shared_gate.defined()) return routed;
    auto shared = layer.shared_hidden(x);
    if (const auto scale = layer.shared_scale(x); scale.defined()) shared *= scale;
    return at::cat({shared, routed}, 1);
  }

  StandardMoe refitted(StandardMoe layer, const LayerRows& rows) const {
    const auto S = layer.shared_gate.defined() ? layer.shared_gate.size(0) : 0, E = layer.experts(),
               m = layer.expert_neurons(), n = S + E * m;
    const auto wide = layer.gate.options().dtype(at::kDouble);
    auto gram = at::zeros({n, n}, wide), moment = at::zeros({n, rows.hidden_size()}, wide);
    for_chunks(rows.count(), chunk_rows(n), [&](std::int64_t begin, std::int64_t end) {
      context_.check();
      const auto a = equations(layer, rows.x(begin, end));
      add_gram(gram, a);
      moment += at::mm(a.t(), rows.y(begin, end));
    });
    mirror(gram);
    auto initial = layer.down.transpose(1, 2).flatten(0, 1);
    if (S > 0) initial = at::cat({layer.shared_down.t(), initial});
    const auto solution =
        initial + ridge_correction(std::move(gram), std::move(moment), initial, settings_.refit_ridge);
    const auto stored = [&](const at::Tensor& t) { return t.to(storage_).to(at::kFloat).contiguous(); };
    if (S > 0) layer.shared_down = stored(solution.slice(0, 0, S).t());
    layer.down = stored(solution.slice(0, S).view({E, m, -1}).transpose(1, 2));
    return layer;
  }

  /// Sum of squared errors on some rows.
  double error_of(const StandardMoe& layer, const LayerRows& rows) const {
    double sum = 0;
    for_chunks(rows.count(), chunk_rows(layer.experts() * layer.expert_neurons()),
               [&](std::int64_t begin, std::int64_t end) {
                 context_.check();
                 const auto y = layer.forward(rows.x(begin, end)).y;
                 sum += (y - rows.y(begin, end)).square().sum().item<double>();
               });
    return sum;
  }

  const MoeClass& target_;
  const MoeLayers& moe_;
  const ModelPolicy& policy_;
  const Stage1& settings_;
  at::ScalarType storage_;
  const Context& context_;
};

}  // namespace

void fit_for_class(const MoeClass& target, const WeightSource& source, const MoeLayers& moe,
                   const ModelPolicy& policy, const Recipe& recipe, const Windows& calibration,
                   at::ScalarType storage,
                   const std::function<void(int layer, const FittedLayer& fitted)>& keep,
                   const Context& context) {
  const WindowOrder order(calibration.count(), recipe.stage1.validation_share);
  auto stream = ResidualStream::embedded(source, order.all(calibration), context);
  const ClassFit fit(target, moe, policy, recipe, storage, context);
  std::int64_t last = 0;
  for (std::int64_t l = 0; l < std::ssize(policy); ++l)
    if (fit.routes(l)) last = l;
  Progress progress(context, last + 1);
  progress.advance(0);
  std::optional<RowCapture> capture;
  Walk how;
  how.layers = last + 1;
  how.enter = [&](std::int64_t l, const DecoderLayer&) {
    if (fit.routes(l)) capture.emplace(source, stream.windows(), order.training, stream.positions(), context);
  };
  how.see = [&](const LayerChunk& chunk) {
    if (capture) capture->keep(chunk.begin, chunk.x, chunk.y);
  };
  how.deal = [&](std::int64_t l, const DecoderLayer& weights) -> FeedForwards {
    if (!capture) return {};
    const auto rows = capture->rows();
    capture.reset();
    auto both = fit.fit(l, rows);
    keep(static_cast<int>(l), both);
    const auto fitted = std::make_shared<const StandardMoe>(std::move(both.fitted));
    FeedForwards dealt;
    for (std::int64_t w = 0; w < stream.windows(); ++w) {
      const bool dense = w < order.training && w % 2 == 0;
      dealt.push_back(dense ? weights.ffn : std::shared_ptr<const FeedForward>(fitted));
    }
    return dealt;
  };
  how.leave = [&](std::int64_t, const DecoderLayer&) { progress.advance(); };
  walk(source, stream, how, context);
}

}  // namespace ladimo
