#include "evaluate/scores.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include <ATen/ATen.h>

#include "evaluate/distributions.h"
#include "evaluate/skipping_ffn.h"
#include "model/large_inputs.h"
#include "stream/side_by_side.h"

namespace ladimo {
namespace {

std::shared_ptr<const FeedForward> ffn_of(const std::shared_ptr<const MoeWeights>& weights,
                                          const LayerPolicy& policy, SkippedExperts skipped) {
  if (skipped == SkippedExperts::left_out && SkippingFfn::possible(*weights) && !policy.cuts_ffn())
    return std::make_shared<SkippingFfn>(weights, policy);
  return std::make_shared<MoeLayer>(weights, policy);
}

class Scoring {
 public:
  Scoring(const WeightSource& source, const Branches& models, const Windows& windows, const Context& context)
      : source_(source),
        models_(models),
        windows_(windows),
        context_(context),
        ran_(models.first_layer.size()) {
    const auto layers = static_cast<std::size_t>(source.config().layers);
    scores_.window = windows.window;
    scores_.source = windows.source;
    scores_.policies.resize(models.first_layer.size());
    for (auto& p : scores_.policies) {
      p.mean_experts.assign(layers, 0.0);
      p.ffn_parameters.assign(layers, static_cast<double>(source.config().ffn_parameters_per_layer()));
      p.attention_left_out.assign(layers, 0.0);
    }
  }

  /// Walks through the layers and counts what runs.
  void pass_layers() {
    const auto layers = source_.config().layers;
    std::int64_t passes = layers;
    for (const auto first : models_.first_layer) passes += layers - first;
    Progress progress(context_, passes * windows_.count());
    Branches counted = models_;
    std::vector<BranchLayer> own_layers;
    counted.layers = [&](int layer) { return own_layers = models_.layers(layer); };
    counted.ran = [&](std::int64_t, std::size_t model, const BranchRun& run) {
      const auto& layer = own_layers[model];
      Ran& ran = ran_[model];
      add(ran.experts, run.ffn.experts);
      add(ran.left_out, run.ffn.left_out);
      if (layer.qkv_threshold > 0) add(ran.qkv, used_inputs(run.attention.qkv));
      if (layer.o_threshold > 0) add(ran.o, used_inputs(run.attention.o));
    };
    dense_ = ResidualStream::embedded(source_, windows_, context_);
    Walk how;
    how.layers = layers;
    how.branches = &counted;
    how.leave = [&](std::int64_t layer, const DecoderLayer&) {
      count(layer, own_layers);
      own_layers.clear();  // before the next layer is loaded
    };
    how.passed = [&](std::int64_t passed) { progress.advance(passed); };
    own_ = walk(source_, dense_, how, context_);
  }

  void compare_logits() {
    const auto head = source_.head();
    const auto chunk = chunk_windows(source_.config().intermediate_size, windows_.window);
    for_chunks(windows_.count(), chunk, [&](auto begin, auto end) { compare_windows(head, begin, end); });
  }

  Scores scores() && { return std::move(scores_); }

 private:
  /// What ran of one model in the present layer, summed over tokens; undefined: not counted.
  struct Ran {
    at::Tensor experts;   // routed experts
    at::Tensor left_out;  // parameters of the FFN that were left out with single inputs
    at::Tensor qkv, o;    // inputs that were used
  };

  static void add(at::Tensor& sum, const at::Tensor& values) {
    if (!values.defined()) return;
    const auto more = values.sum(at::kDouble);
    sum = sum.defined() ? sum + more : more;
  }

  double mean(const at::Tensor& sum) const {
    return sum.defined() ? sum.item<double>() / static_cast<double>(windows_.count() * windows_.window) : 0;
  }

  /// Turns a layer's sums over tokens into means, and counts the parameters that were used.
  void count(std::int64_t layer, const std::vector<BranchLayer>& own_layers) {
    const auto l = static_cast<std::size_t>(layer);
    const ModelConfig& config = source_.config();
    for (std::size_t m = 0; m < own_layers.size(); ++m) {
      auto& policy = scores_.policies[m];
      const Ran& ran = ran_[m];
      policy.mean_experts[l] = mean(ran.experts);
      if (own_layers[m].ffn)
        policy.ffn_parameters[l] =
            own_layers[m].ffn->activated_parameters(policy.mean_experts[l]) - mean(ran.left_out);
      if (ran.qkv.defined())
        policy.attention_left_out[l] += (1 - mean(ran.qkv) / static_cast<double>(config.hidden_size)) *
                                        static_cast<double>(config.qkv_parameters());
      if (ran.o.defined())
        policy.attention_left_out[l] +=
            (1 - mean(ran.o) / static_cast<double>(config.heads * config.head_dim)) *
            static_cast<double>(config.o_parameters());
      ran_[m] = {};
    }
  }

  void compare_windows(const Head& head, std::int64_t begin, std::int64_t end) {
    const auto targets = ids_of(windows_, begin, end).slice(1, 1).flatten().to(source_.device());
    const auto dense_rows = predicting_rows(dense_, begin, end);
    std::vector<std::optional<at::Tensor>> own_rows;
    for (const auto& stream : own_)
      own_rows.push_back(stream.defined() ? std::optional(predicting_rows(stream, begin, end))
                                          : std::nullopt);
    const auto rows = chunk_logit_rows(source_.config().vocab_size);
    for_chunks(dense_rows.size(0), rows, [&](auto first, auto last) {
      const auto target = targets.slice(0, first, last);
      const Distributions dense(head.logits(dense_rows.slice(0, first, last)));
      const auto dense_nll = dense.nll(target);
      append(scores_.dense_nll, dense_nll);
      const auto bytes = (last - first) * source_.config().vocab_size * 4;
      side_by_side(source_.device(), std::ssize(own_), bytes, [&](std::int64_t model) {
        context_.check();
        const auto m = static_cast<std::size_t>(model);
        auto& scores = scores_.policies[m];
        if (!own_rows[m]) {
          append(scores.nll, dense_nll);
          scores.kl.resize(scores.nll.size(), 0.0F);
          scores.same.resize(scores.nll.size(), 1);
          return;
        }
        const auto found = dense.compare(head.logits(own_rows[m]->slice(0, first, last)), target);
        append(scores.nll, found.nll);
        append(scores.kl, found.kl);
        append(scores.same, found.same);
      });
    });
  }

  /// Positions 0 ... W - 2 predict tokens 1 ... W - 1.
  static at::Tensor predicting_rows(const ResidualStream& stream, std::int64_t begin, std::int64_t end) {
    return stream.read(begin, end).slice(1, 0, stream.positions() - 1).flatten(0, 1);
  }

  template <class T>
  static void append(std::vector<T>& values, const at::Tensor& tensor) {
    const auto cpu = tensor.to(at::kCPU).contiguous();
    values.insert(values.end(), cpu.data_ptr<T>(), cpu.data_ptr<T>() + cpu.numel());
  }

  const WeightSource& source_;
  const Branches& models_;
  const Windows& windows_;
  const Context& context_;
  Scores scores_;
  ResidualStream dense_;
  std::vector<ResidualStream> own_;  // per model; undefined where all of its layers are dense
  std::vector<Ran> ran_;             // per model
};

}  // namespace

Branches under_policies(const WeightSource& source, const MoeLayers& moe,
                        const std::vector<ModelPolicy>& policies, SkippedExperts skipped) {
  Branches models;
  for (const auto& policy : policies)
    models.first_layer.push_back(
        std::ranges::find_if_not(policy, [](const auto& layer) { return layer.original(); }) -
        policy.begin());
  models.layers = [&source, &moe, &policies, skipped](int layer) {
    std::shared_ptr<const MoeWeights> weights;
    std::shared_ptr<const DenseFfn> dense;
    std::vector<BranchLayer> layers;
    for (const auto& policy : policies) {
      const auto& chosen = policy[static_cast<std::size_t>(layer)];
      auto& own = layers.emplace_back();
      own.qkv_threshold = chosen.cut(Product::qkv).threshold;
      own.o_threshold = chosen.cut(Product::o).threshold;
      if (chosen.kind != LayerPolicy::Kind::dense) {
        if (!weights) weights = moe.load(layer);
        own.ffn = ffn_of(weights, chosen, skipped);
      } else if (chosen.cuts_ffn()) {
        if (!dense) dense = source.dense_ffn(layer);
        own.ffn = std::make_shared<CutFfn>(dense, chosen);
      }
    }
    return layers;
  };
  return models;
}

Scores score(const WeightSource& source, const Branches& models, const Windows& windows,
             const Context& context) {
  Scoring scoring(source, models, windows, context);
  scoring.pass_layers();
  scoring.compare_logits();
  return std::move(scoring).scores();
}

Scores score(const WeightSource& source, const MoeLayers& moe, const Windows& windows,
             const std::vector<ModelPolicy>& policies, const Context& context) {
  return score(source, under_policies(source, moe, policies, SkippedExperts::masked), windows, context);
}

Scores count_activity(const WeightSource& source, const Branches& models, const Windows& windows,
                      const Context& context) {
  Scoring scoring(source, models, windows, context);
  scoring.pass_layers();
  return std::move(scoring).scores();
}

Scores count_activity(const WeightSource& source, const MoeLayers& moe, const Windows& windows,
                      const std::vector<ModelPolicy>& policies, const Context& context) {
  return count_activity(source, under_policies(source, moe, policies, SkippedExperts::masked), windows,
                        context);
}

}  // namespace ladimo
