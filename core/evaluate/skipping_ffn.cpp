#include "evaluate/skipping_ffn.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "evaluate/timing.h"
#include "kernels/kernel_table.h"

namespace ladimo {
namespace {

constexpr std::int64_t most_together = 256;  // tokens of a thread whose activations stay in its cache
constexpr std::int64_t timed_tokens = 512;

/// The tokens of each slice among some tokens that one thread computes.
std::vector<std::vector<std::int32_t>> tokens_by_slice(const bool* selected, std::int64_t slices,
                                                       std::int64_t tokens) {
  std::vector<std::vector<std::int32_t>> lists(static_cast<std::size_t>(slices));
  for (std::int64_t t = 0; t < tokens; ++t)
    for (std::int64_t e = 0; e < slices; ++e)
      if (selected[t * slices + e])
        lists[static_cast<std::size_t>(e)].push_back(static_cast<std::int32_t>(t));
  return lists;
}

/// Adds the FFN's output for some tokens to `y`.
class Group {
 public:
  Group(const PreparedFfn& ffn, const bool* selected, std::int64_t tokens)
      : ffn_(ffn),
        running_(tokens_by_slice(selected, ffn.slices(), tokens)),
        every_(static_cast<std::size_t>(tokens)),
        from_(every_.size()),
        to_(every_.size()),
        sums_(static_cast<std::size_t>(tokens * widest_panel)),
        h_(static_cast<std::size_t>(tokens * ffn.neurons())) {
    for (std::size_t t = 0; t < every_.size(); ++t) every_[t] = static_cast<std::int32_t>(t);
  }

  /// x [tokens, inputs of gate and up], y [tokens, d].
  void run(const float* x, float* y) {
    run_neurons(x);
    project_down(y);
  }

 private:
  void run_neurons(const float* x) {
    const auto inputs = ffn_.gate_up.inputs();
    for (std::size_t b = 0; b < ffn_.blocks.size(); ++b) {
      const auto& block = ffn_.blocks[b];
      const auto& tokens = block.slice < 0 ? every_ : running_[static_cast<std::size_t>(block.slice)];
      for (std::size_t t = 0; t < tokens.size(); ++t) {
        from_[t] = x + tokens[t] * inputs;
        to_[t] = sums_.data() + t * static_cast<std::size_t>(widest_panel);
        std::fill_n(to_[t], 2 * block.count, 0.0F);
      }
      ffn_.gate_up.multiply(static_cast<std::int64_t>(b), {0, inputs}, from_.data(), to_.data(),
                            std::ssize(tokens), nullptr);
      for (std::size_t t = 0; t < tokens.size(); ++t) {
        from_[t] = to_[t];
        to_[t] = h_.data() + tokens[t] * ffn_.neurons() + block.first;
      }
      kernels().swiglu_rows(from_.data(), std::ssize(tokens), block.count, to_.data());
    }
  }

  void project_down(float* y) {
    for (std::int64_t p = 0; p < ffn_.down.panels(); ++p) {
      add_down(p, {0, ffn_.shape.shared_neurons}, every_, y);
      for (std::int64_t e = 0; e < ffn_.slices(); ++e)
        add_down(p, ffn_.slice(e), running_[static_cast<std::size_t>(e)], y);
    }
  }

  void add_down(std::int64_t panel, Range neurons, const std::vector<std::int32_t>& tokens, float* y) {
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      from_[t] = h_.data() + tokens[t] * ffn_.neurons();
      to_[t] = y + tokens[t] * ffn_.down.outputs() + ffn_.down.first(panel);
    }
    ffn_.down.multiply(panel, neurons, from_.data(), to_.data(), std::ssize(tokens), nullptr);
  }

  const PreparedFfn& ffn_;
  std::vector<std::vector<std::int32_t>> running_;  // per slice
  std::vector<std::int32_t> every_;                 // 0, 1, 2 ...
  std::vector<const float*> from_;
  std::vector<float*> to_;
  std::vector<float> sums_;  // [tokens, widest_panel]
  std::vector<float> h_;     // [tokens, f]
};

}  // namespace

SkippingFfn::SkippingFfn(std::shared_ptr<const MoeWeights> weights, const LayerPolicy& policy)
    : masked_(std::move(weights), policy) {}

bool SkippingFfn::possible(const MoeWeights& weights) {
  return weights.gate.is_cpu() && weights.gate.scalar_type() == at::kFloat;
}

FfnOutput SkippingFfn::forward(const at::Tensor& x, const at::Tensor&) const {
  const at::Tensor selected = masked_.select(x);
  const at::Tensor experts = experts_per_token(selected);
  const double share = experts.mean().item<double>() / static_cast<double>(masked_.weights().routed());
  if (share < fastest_share(x)) return {grouped(x, selected), experts};
  return {masked_.weights().combine(masked_.weights().hidden(x), selected), experts};
}

at::Tensor SkippingFfn::grouped(const at::Tensor& x, const at::Tensor& selected) const {
  const MoeWeights& weights = masked_.weights();
  const PreparedFfn& ffn = prepared();
  const std::int64_t tokens = x.size(0), d = x.size(1), slices = ffn.slices();
  at::Tensor y = at::zeros({tokens, d}, x.options());
  if (weights.compensation.defined()) y.addmm_(1 - selected.to(at::kFloat), weights.compensation);
  if (weights.down_bias.defined()) y.add_(weights.down_bias);
  const bool biased = weights.gate_bias.defined();  // one more input that is always 1
  const at::Tensor inputs = biased ? at::cat({x, at::ones({tokens, 1}, x.options())}, 1) : x.contiguous();
  const at::Tensor on = selected.contiguous();
  const std::int64_t threads = at::get_num_threads();
  const std::int64_t parts = threads * ((tokens + threads * most_together - 1) / (threads * most_together));
  const auto* const from = inputs.data_ptr<float>();
  const auto* const chosen = on.data_ptr<bool>();
  auto* const to = y.data_ptr<float>();
  at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t part = begin; part < end; ++part) {
      const std::int64_t first = tokens * part / parts, count = tokens * (part + 1) / parts - first;
      Group(ffn, chosen + first * slices, count).run(from + first * inputs.size(1), to + first * d);
    }
  });
  return y;
}

/// The share of routed experts up to which groups are faster, by the times of no expert and of all.
double SkippingFfn::fastest_share(const at::Tensor& x) const {
  static std::mutex mutex;
  static std::map<std::array<std::int64_t, 5>, double> known;
  const MoeWeights& weights = masked_.weights();
  const std::lock_guard lock(mutex);
  const auto [entry, is_new] =
      known.try_emplace({weights.hidden_size(), weights.shared_neurons, weights.routed(),
                         weights.expert_neurons(), at::get_num_threads()});
  if (!is_new) return entry->second;
  const at::Tensor some = x.narrow(0, 0, std::min(x.size(0), timed_tokens));
  const at::Tensor none = at::zeros({some.size(0), weights.routed()}, at::kBool), all = none.logical_not();
  const auto seconds = median_seconds({[&] { weights.combine(weights.hidden(some), all); },
                                       [&] { grouped(some, none); }, [&] { grouped(some, all); }},
                                      3, 0);
  return entry->second = (seconds[0] - seconds[1]) / (seconds[2] - seconds[1]);
}

const PreparedFfn& SkippingFfn::prepared() const {
  std::call_once(once_, [this] {
    prepared_ = std::make_unique<const PreparedFfn>(masked_.weights(), Preparing{arena_, /*threads=*/1});
  });
  return *prepared_;
}

}  // namespace ladimo
