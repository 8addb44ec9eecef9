#include "evaluate/scores.h"

#include <algorithm>
#include <iterator>

#include <ATen/ATen.h>

#include "evaluate/distributions.h"
#include "stream/side_by_side.h"

namespace ladimo {
namespace {

constexpr std::int64_t stream_bytes = std::int64_t{512} << 20;  // residual streams of one group of windows
constexpr std::int64_t chunk_bytes = std::int64_t{16} << 20;    // one [tokens, neurons] fp32 matrix

/// The residual streams of a group of windows: the dense one, and one per model from where it leaves the
/// dense one.
class Group {
 public:
  Group(const WeightSource& source, const ConvertedModels& models, const Windows& windows, std::int64_t begin,
        std::int64_t end, Scores& scores, Progress& progress, const Context& context)
      : source_(source),
        models_(models),
        scores_(scores),
        progress_(progress),
        context_(context),
        streams_(models.first_layer.size()) {
    const auto n = end - begin;
    ids_ = at::tensor(windows.tokens)
               .slice(0, begin * windows.window, end * windows.window)
               .view({n, windows.window});
    ids_ = ids_.to(source.device(), at::kLong);
    dense_ = source.embedding().index_select(0, ids_.flatten()).view({n, windows.window, -1});
  }

  void pass_layers() {
    for (std::int64_t l = 0; l < source_.config().layers; ++l) pass_layer(static_cast<std::size_t>(l));
  }

  void compare_logits() {
    const auto targets = ids_.slice(1, 1).flatten();
    const auto predicting = predicting_rows(dense_);
    const auto rows = Distributions::rows_at_once(source_.config().vocab_size);
    std::vector<at::Tensor> converted;
    for (const auto& stream : streams_)
      converted.push_back(stream.defined() ? predicting_rows(stream) : at::Tensor());
    for (std::int64_t begin = 0; begin < predicting.size(0); begin += rows) {
      const auto end = std::min(begin + rows, predicting.size(0));
      const auto target = targets.slice(0, begin, end);
      const Distributions dense(source_.head().logits(predicting.slice(0, begin, end)));
      const auto dense_nll = dense.nll(target);
      append(scores_.dense_nll, dense_nll);
      side_by_side(dense_.device(), std::ssize(streams_), [&](std::int64_t m) {
        context_.check();
        auto& scores = scores_.policies[static_cast<std::size_t>(m)];
        const auto& stream = converted[static_cast<std::size_t>(m)];
        if (!stream.defined()) {
          append(scores.nll, dense_nll);
          scores.kl.resize(scores.nll.size(), 0.0F);
          scores.same.resize(scores.nll.size(), 1);
          return;
        }
        const auto found = dense.compare(source_.head().logits(stream.slice(0, begin, end)), target);
        append(scores.nll, found.nll);
        append(scores.kl, found.kl);
        append(scores.same, found.same);
      });
    }
  }

 private:
  void pass_layer(std::size_t l) {
    const auto layer = source_.layer(static_cast<std::int64_t>(l));
    const auto ffns = models_.ffns(static_cast<int>(l));
    for (std::size_t m = 0; m < streams_.size(); ++m)
      if (ffns[m] && !streams_[m].defined()) streams_[m] = dense_.clone();
    const auto windows =
        std::max<std::int64_t>(1, chunk_bytes / (4 * ids_.size(1) * source_.config().intermediate_size));
    for (std::int64_t begin = 0; begin < ids_.size(0); begin += windows)
      pass_windows(layer, ffns, l, begin, std::min(begin + windows, ids_.size(0)));
  }

  /// All streams of some windows: small enough to stay in the cache.
  void pass_windows(const DecoderLayer& layer, const std::vector<std::shared_ptr<const FeedForward>>& ffns,
                    std::size_t l, std::int64_t begin, std::int64_t end) {
    const auto attended = layer.attend(dense_.slice(0, begin, end), source_.rotary());
    side_by_side(dense_.device(), std::ssize(streams_), [&](std::int64_t model) {
      context_.check();
      const auto m = static_cast<std::size_t>(model);
      if (!streams_[m].defined()) return;  // still the dense stream
      const bool leaves = static_cast<std::int64_t>(l) == models_.first_layer[m];
      auto stream = streams_[m].slice(0, begin, end);
      const auto h = leaves ? attended : layer.attend(stream, source_.rotary());
      const auto experts = add_ffn(layer, ffns[m] ? *ffns[m] : *layer.ffn, h, stream);
      if (experts.defined()) scores_.policies[m].mean_experts[l] += experts.sum().item<double>();
    });
    auto dense = dense_.slice(0, begin, end);
    add_ffn(layer, *layer.ffn, attended, dense);
    const auto passed = 1 + std::ranges::count_if(streams_, [](const auto& s) { return s.defined(); });
    progress_.advance((end - begin) * passed);
  }

  /// Writes h and its FFN's output to `stream`; returns the experts per token.
  static at::Tensor add_ffn(const DecoderLayer& layer, const FeedForward& ffn, const at::Tensor& h,
                            at::Tensor& stream) {
    const auto out = ffn.forward(layer.ffn_input(h).flatten(0, 1));
    at::add_out(stream, h, out.y.view_as(h));
    return out.experts;
  }

  /// Positions 0 ... W - 2 predict tokens 1 ... W - 1.
  static at::Tensor predicting_rows(const at::Tensor& h) {
    return h.slice(1, 0, h.size(1) - 1).flatten(0, 1);
  }

  template <class T>
  static void append(std::vector<T>& values, const at::Tensor& tensor) {
    const auto cpu = tensor.to(at::kCPU).contiguous();
    values.insert(values.end(), cpu.data_ptr<T>(), cpu.data_ptr<T>() + cpu.numel());
  }

  const WeightSource& source_;
  const ConvertedModels& models_;
  Scores& scores_;
  Progress& progress_;
  const Context& context_;
  at::Tensor ids_;                   // [n, W] int64
  at::Tensor dense_;                 // [n, W, d]
  std::vector<at::Tensor> streams_;  // per model [n, W, d]; undefined while equal to the dense stream
};

/// Turns sums over tokens into means and counts the parameters that were used.
void finish_counts(Scores& scores, const ConvertedModels& models, const ModelConfig& config, double tokens) {
  for (std::int64_t l = 0; l < config.layers; ++l) {
    const auto ffns = models.ffns(static_cast<int>(l));
    for (std::size_t m = 0; m < ffns.size(); ++m) {
      auto& mean = scores.policies[m].mean_experts[static_cast<std::size_t>(l)];
      mean /= tokens;
      scores.policies[m].ffn_parameters[static_cast<std::size_t>(l)] =
          ffns[m] ? ffns[m]->activated_parameters(mean)
                  : static_cast<double>(config.ffn_parameters_per_layer());
    }
  }
}

/// Calls `pass(group)` for groups of windows that bound memory, then counts what ran.
template <class Pass>
Scores pass_groups(const WeightSource& source, const ConvertedModels& models, const Windows& windows,
                   const Context& context, Pass&& pass) {
  const auto layers = source.config().layers;
  Scores scores;
  scores.window = windows.window;
  scores.source = windows.source;
  scores.policies.resize(models.first_layer.size());
  for (auto& p : scores.policies) {
    p.mean_experts.assign(static_cast<std::size_t>(layers), 0.0);
    p.ffn_parameters.assign(static_cast<std::size_t>(layers), 0.0);
  }
  const auto count = windows.count();
  const auto streams = static_cast<std::int64_t>(models.first_layer.size()) + 1;
  const auto per_window = windows.window * source.config().hidden_size * 4 * streams;
  const auto group = std::clamp<std::int64_t>(stream_bytes / per_window, 1, count);
  std::int64_t passes = layers;
  for (const auto first : models.first_layer) passes += layers - first;
  Progress progress(context, passes * count);
  for (std::int64_t begin = 0; begin < count; begin += group) {
    Group part(source, models, windows, begin, std::min(begin + group, count), scores, progress, context);
    pass(part);
  }
  finish_counts(scores, models, source.config(), static_cast<double>(count * windows.window));
  return scores;
}

/// One set of converted layers under several policies, which must outlive it.
ConvertedModels under_policies(const MoeProvider& moe, const std::vector<ModelPolicy>& policies) {
  const auto is_dense = [](const LayerPolicy& policy) { return policy.kind == LayerPolicy::Kind::dense; };
  ConvertedModels models;
  for (const auto& policy : policies)
    models.first_layer.push_back(std::find_if_not(policy.begin(), policy.end(), is_dense) - policy.begin());
  models.ffns = [&moe, &policies, is_dense](int layer) {
    std::shared_ptr<const MoeWeights> weights;
    std::vector<std::shared_ptr<const FeedForward>> ffns;
    for (const auto& policy : policies) {
      const auto& chosen = policy[static_cast<std::size_t>(layer)];
      if (!is_dense(chosen) && !weights) weights = moe(layer);
      ffns.push_back(is_dense(chosen) ? nullptr : std::make_shared<MoeLayer>(weights, chosen));
    }
    return ffns;
  };
  return models;
}

}  // namespace

Scores score(const WeightSource& source, const ConvertedModels& models, const Windows& windows,
             const Context& context) {
  return pass_groups(source, models, windows, context, [](Group& group) {
    group.pass_layers();
    group.compare_logits();
  });
}

Scores score(const WeightSource& source, const MoeProvider& moe, const Windows& windows,
             const std::vector<ModelPolicy>& policies, const Context& context) {
  return score(source, under_policies(moe, policies), windows, context);
}

Scores count_activity(const WeightSource& source, const ConvertedModels& models, const Windows& windows,
                      const Context& context) {
  return pass_groups(source, models, windows, context, [](Group& group) { group.pass_layers(); });
}

Scores count_activity(const WeightSource& source, const MoeProvider& moe, const Windows& windows,
                      const std::vector<ModelPolicy>& policies, const Context& context) {
  return count_activity(source, under_policies(moe, policies), windows, context);
}

}  // namespace ladimo
