#include "evaluate/scores.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace ladimo {
namespace {

constexpr std::int64_t stream_bytes = std::int64_t{512} << 20;  // residual streams of one group of windows
constexpr std::int64_t logit_bytes = std::int64_t{16} << 20;    // one [rows, vocab] fp32 matrix

/// The residual streams of a group of windows: the dense one, and one per policy from where it leaves the
/// dense one.
class Group {
 public:
  Group(const WeightSource& source, const MoeProvider& moe, const Windows& windows, std::int64_t begin,
        std::int64_t end, const std::vector<ModelPolicy>& policies, Scores& scores, Progress& progress)
      : source_(source),
        moe_(moe),
        policies_(policies),
        scores_(scores),
        progress_(progress),
        streams_(policies.size()) {
    const auto n = end - begin;
    ids_ = at::tensor(windows.tokens)
               .slice(0, begin * windows.window, end * windows.window)
               .view({n, windows.window});
    ids_ = ids_.to(source.device(), at::kLong);
    dense_ = source.embedding().index_select(0, ids_.flatten()).view({n, windows.window, -1});
  }

  void run() {
    for (std::int64_t l = 0; l < source_.config().layers; ++l) pass_layer(static_cast<std::size_t>(l));
    compare_logits();
  }

 private:
  void pass_layer(std::size_t l) {
    const auto layer = source_.layer(static_cast<std::int64_t>(l));
    const bool sparse = std::any_of(policies_.begin(), policies_.end(), [&](const ModelPolicy& policy) {
      return policy[l].kind != LayerPolicy::Kind::dense;
    });
    const auto weights = sparse ? moe_(static_cast<int>(l)) : nullptr;
    const auto attended = layer.attend(dense_, source_.rotary());
    for (std::size_t p = 0; p < policies_.size(); ++p) {
      const LayerPolicy& policy = policies_[p][l];
      const bool dense = policy.kind == LayerPolicy::Kind::dense;
      if (dense && !streams_[p].defined()) continue;  // still the dense stream
      const auto h = streams_[p].defined() ? layer.attend(streams_[p], source_.rotary()) : attended;
      if (dense) {
        streams_[p] = add_ffn(layer, *layer.ffn, h).first;
      } else {
        const auto [next, experts] = add_ffn(layer, MoeLayer(weights, policy), h);
        streams_[p] = next;
        scores_.policies[p].mean_experts[l] += experts.sum().item<double>();
      }
      progress_.advance(ids_.size(0));
    }
    dense_ = add_ffn(layer, *layer.ffn, attended).first;
    progress_.advance(ids_.size(0));
  }

  static std::pair<at::Tensor, at::Tensor> add_ffn(const DecoderLayer& layer, const FeedForward& ffn,
                                                   const at::Tensor& h) {
    const auto out = ffn.forward(layer.ffn_input(h).flatten(0, 1));
    return {h + out.y.view_as(h), out.experts};
  }

  /// Positions 0 ... W - 2 predict tokens 1 ... W - 1.
  static at::Tensor predicting(const at::Tensor& h) { return h.slice(1, 0, h.size(1) - 1).flatten(0, 1); }

  void compare_logits() {
    const auto targets = ids_.slice(1, 1).flatten();
    const auto dense = predicting(dense_);
    std::vector<at::Tensor> converted;
    for (const auto& stream : streams_)
      converted.push_back(stream.defined() ? predicting(stream) : at::Tensor());
    const auto rows = std::max<std::int64_t>(1, logit_bytes / (4 * source_.config().vocab_size));
    for (std::int64_t begin = 0; begin < dense.size(0); begin += rows) {
      const auto end = std::min(begin + rows, dense.size(0));
      const auto target = targets.slice(0, begin, end).unsqueeze(1);
      const auto log_p = log_probabilities(dense.slice(0, begin, end));
      const auto p = log_p.exp();
      const auto top = log_p.argmax(1);
      const auto dense_nll = -log_p.gather(1, target).squeeze(1);
      append(scores_.dense_nll, dense_nll);
      for (std::size_t i = 0; i < converted.size(); ++i) {
        auto& scores = scores_.policies[i];
        if (!converted[i].defined()) {
          append(scores.nll, dense_nll);
          scores.kl.resize(scores.nll.size(), 0.0F);
          scores.same.resize(scores.nll.size(), 1);
          continue;
        }
        const auto log_q = log_probabilities(converted[i].slice(0, begin, end));
        append(scores.nll, -log_q.gather(1, target).squeeze(1));
        append(scores.kl, (p * (log_p - log_q)).sum(1).clamp_min(0));
        append(scores.same, (log_q.argmax(1) == top).to(at::kByte));
        progress_.advance(0);
      }
    }
  }

  at::Tensor log_probabilities(const at::Tensor& h) const {
    return source_.head().logits(h).to(at::kFloat).log_softmax(1);
  }

  template <class T>
  static void append(std::vector<T>& values, const at::Tensor& tensor) {
    const auto cpu = tensor.to(at::kCPU).contiguous();
    values.insert(values.end(), cpu.data_ptr<T>(), cpu.data_ptr<T>() + cpu.numel());
  }

  const WeightSource& source_;
  const MoeProvider& moe_;
  const std::vector<ModelPolicy>& policies_;
  Scores& scores_;
  Progress& progress_;
  at::Tensor ids_;                   // [n, W] int64
  at::Tensor dense_;                 // [n, W, d]
  std::vector<at::Tensor> streams_;  // per policy [n, W, d]; undefined while equal to the dense stream
};

/// Turns sums over tokens into means and counts the parameters that were used.
void finish_counts(PolicyScores& scores, const ModelPolicy& policy, const ModelConfig& config,
                   const MoeProvider& moe, double tokens) {
  for (std::size_t l = 0; l < policy.size(); ++l) {
    if (policy[l].kind == LayerPolicy::Kind::dense) {
      scores.ffn_parameters[l] = static_cast<double>(config.ffn_parameters_per_layer());
    } else {
      scores.mean_experts[l] /= tokens;
      scores.ffn_parameters[l] = moe(static_cast<int>(l))->activated_parameters(scores.mean_experts[l]);
    }
  }
}

}  // namespace

Scores score(const WeightSource& source, const MoeProvider& moe, const Windows& windows,
             const std::vector<ModelPolicy>& policies, const Context& context) {
  const auto layers = static_cast<std::size_t>(source.config().layers);
  Scores scores;
  scores.window = windows.window;
  scores.source = windows.source;
  scores.policies.resize(policies.size());
  for (auto& p : scores.policies) {
    p.mean_experts.assign(layers, 0.0);
    p.ffn_parameters.assign(layers, 0.0);
  }
  const auto count = windows.count();
  const auto per_window =
      windows.window * source.config().hidden_size * 4 * (static_cast<std::int64_t>(policies.size()) + 1);
  const auto group = std::clamp<std::int64_t>(stream_bytes / per_window, 1, count);
  std::int64_t passes = source.config().layers;
  for (const auto& policy : policies)
    for (std::size_t l = 0, sparse = 0; l < layers; ++l) {
      if (policy[l].kind != LayerPolicy::Kind::dense) sparse = 1;
      passes += static_cast<std::int64_t>(sparse);
    }
  Progress progress(context, passes * count);
  for (std::int64_t begin = 0; begin < count; begin += group)
    Group(source, moe, windows, begin, std::min(begin + group, count), policies, scores, progress).run();
  for (std::size_t p = 0; p < policies.size(); ++p)
    finish_counts(scores.policies[p], policies[p], source.config(), moe,
                  static_cast<double>(count * windows.window));
  return scores;
}

}  // namespace ladimo
