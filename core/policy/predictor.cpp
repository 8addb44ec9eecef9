#include "policy/predictor.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "base/interpolation.h"
#include "policy/frontier.h"

namespace ladimo {
namespace {

using Kind = LayerPolicy::Kind;

double sum_of_dense(const TradeoffTable& table) {
  double sum = 0;
  for (const LayerTable& layer : table.layers) sum += layer.candidates.front().activated;
  return sum;
}

Correction joint_correction(const std::vector<JointPoint>& measured, double JointPoint::*y) {
  std::vector<Correction::Point> points;
  for (const JointPoint& joint : measured) points.push_back({joint.sum_kl, joint.*y});
  return Correction(std::move(points));
}

/// Dense has no drift, so the relation ends in (dense, dense) and never rises above it.
Correction activity_correction(const std::vector<JointPoint>& measured, double dense) {
  if (measured.empty()) return Correction({});
  std::vector<Correction::Point> points{{dense, dense}};
  for (const JointPoint& joint : measured)
    if (joint.sum_activated < dense)
      points.push_back({joint.sum_activated, std::min(joint.activated, dense)});
  return Correction(std::move(points));
}

Predictor::Corrections corrections_of(const std::vector<JointPoint>& measured, double dense) {
  return {joint_correction(measured, &JointPoint::kl), joint_correction(measured, &JointPoint::nll_increase),
          activity_correction(measured, dense)};
}

/// An axis that is logarithmic where thresholds matter, and still defined at zero and below.
double on_log_axis(double threshold) { return std::asinh(threshold / 1e-6); }

/// At this multiple of the last rung's threshold no expert is assumed to run any more.
constexpr double end_of_ladder = 2;

/// Points of strictly rising x. Of several points with the same x the first one is kept.
struct Ladder {
  std::vector<double> x, y;
  explicit Ladder(std::vector<Correction::Point> points) {
    std::ranges::stable_sort(points, {}, &Correction::Point::x);
    for (const auto& point : points) {
      if (!x.empty() && point.x == x.back()) continue;
      x.push_back(point.x);
      y.push_back(point.y);
    }
  }
  MonotoneCurve curve() const { return {x, y}; }
};

template <class X, class Y>
Ladder ladder_of(const std::vector<const Candidate*>& candidates, X x, Y y) {
  std::vector<Correction::Point> points;
  for (const Candidate* candidate : candidates) points.push_back({x(*candidate), y(*candidate)});
  return Ladder(std::move(points));
}

Candidate interpolate(const std::vector<const Candidate*>& rungs, LayerPolicy policy) {
  const auto experts = [](const Candidate& c) { return c.policy.mean_experts; };
  const auto threshold = [](const Candidate& c) { return on_log_axis(c.policy.threshold); };
  if (policy.kind == Kind::threshold)
    policy.mean_experts = ladder_of(rungs, threshold, experts).curve()(on_log_axis(policy.threshold));
  const auto kl = ladder_of(rungs, experts, [](const Candidate& c) { return c.kl; });
  const auto activated = ladder_of(rungs, experts, [](const Candidate& c) { return c.activated; });
  return {policy, kl.curve()(policy.mean_experts),
          ladimo::interpolate(activated.x, activated.y, policy.mean_experts)};
}

}  // namespace

Correction::Correction(std::vector<Point> points) {
  std::erase_if(points, [](const Point& point) { return point.x <= 0; });
  if (points.empty()) return;
  points.push_back({0, 0});
  std::ranges::stable_sort(points, {}, &Point::x);
  std::vector<double> x, y;
  for (const Point& point : points) {
    if (!x.empty() && point.x == x.back()) continue;
    x.push_back(point.x);
    y.push_back(std::max(point.y, 0.0));
  }
  y = rising(y);
  last_ = {x.back(), y.back()};
  curve_.emplace(std::move(x), std::move(y));
}

double Correction::operator()(double x) const {
  return curve_ && x < last_.x ? (*curve_)(x) : x * (last_.y / last_.x);
}

double Correction::inverse(double y) const {
  if (!curve_) return std::max(y, 0.0);
  double low = 0, high = last_.x;
  for (int i = 0; i < 64 && (*this)(high) <= y; ++i) low = high, high *= 2;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    ((*this)(middle) <= y ? low : high) = middle;
  }
  return low;
}

Predictor::Predictor(const TradeoffTable& table, const LatencyTable* latency)
    : table_(table),
      latency_(latency),
      dense_ffn_(sum_of_dense(table)),
      experts_(corrections_of(table.joint, dense_ffn_)),
      with_cuts_(corrections_of(table.joint_cuts.empty() ? table.joint : table.joint_cuts, dense_ffn_)) {
  const auto has_experts = [](const LayerTable& layer) { return layer.candidates.size() > 1; };
  if (latency_ == nullptr || std::ranges::none_of(table.layers, has_experts)) return;
  decode_ = latency_->decode_curve();
  prefill_ = latency_->prefill_curve();
}

Candidate Predictor::evaluate(int layer, const LayerPolicy& policy) const {
  LayerPolicy experts = policy;
  experts.cuts = {};
  Candidate candidate = evaluate_experts(layer, experts);
  if (!policy.cuts_inputs()) return candidate;
  if (!table_.sizes)
    throw Refusal("This run has no data about inputs and neurons: it was made by an earlier version.",
                  "Remove them from the pin, or {new_conversion}.");
  const LayerTable& table = table_.layers[static_cast<std::size_t>(layer)];
  const double running = table_.sizes->running(candidate.policy) / table_.sizes->neurons;
  for (const Product product : all_products) {
    if (policy.cut(product).threshold <= 0) continue;
    // The neurons that run under a sparse policy are taken to be as the others are.
    const double scale = product == Product::down ? running : 1;
    const CutRung rung = at_threshold(table.rungs(product), policy.cut(product).threshold);
    candidate.policy.cut(product) = {rung.threshold, rung.share * scale};
    candidate.kl += rung.kl * (product == Product::gate_up ? running : scale);
  }
  candidate.activated -= table_.sizes->left_out_of_ffn(candidate.policy);
  candidate.attention_left_out = table_.sizes->left_out_of_attention(candidate.policy);
  return candidate;
}

Candidate Predictor::evaluate_experts(int layer, const LayerPolicy& policy) const {
  if (layer < 0 || layer >= static_cast<int>(table_.layers.size()))
    throw Refusal(fmt::format("There is no layer {}; the model has {} layers.", layer, table_.layers.size()),
                  "Layers count from 0.");
  const auto& candidates = table_.layers[static_cast<std::size_t>(layer)].candidates;
  if (policy.kind == Kind::dense) return candidates.front();
  if (candidates.size() == 1)
    throw Refusal(fmt::format("Layer {} was not converted: its policy can only be dense.", layer),
                  "Convert it too ({layers}), or pin it to dense.");
  if (policy.kind == Kind::top_k && (policy.k < 0 || policy.k > table_.routed))
    throw Refusal(
        fmt::format("Layer {} cannot run {} routed experts: it has {}.", layer, policy.k, table_.routed),
        fmt::format("Choose top0 to top{}.", table_.routed));
  std::vector<const Candidate*> rungs;
  const Candidate* shared_alone = nullptr;
  for (const Candidate& candidate : candidates) {
    if (candidate.policy == LayerPolicy::top(0)) shared_alone = &candidate;
    if (candidate.policy.kind != policy.kind) continue;
    if (candidate.policy.k == policy.k && candidate.policy.threshold == policy.threshold) return candidate;
    rungs.push_back(&candidate);
  }
  if (rungs.empty())
    throw Refusal(
        fmt::format("Layer {} has no measured candidates of the kind {}.", layer, to_string(policy)),
        "Choose another kind of policy for it.");
  // Above the last threshold fewer and fewer experts run, in the end none. That end was measured as top0.
  Candidate none;
  if (policy.kind == Kind::threshold && shared_alone != nullptr) {
    none = *shared_alone;
    none.policy = LayerPolicy::above(end_of_ladder * rungs.back()->policy.threshold);
    rungs.push_back(&none);
  }
  return interpolate(rungs, policy);
}

double Predictor::priced_kl(int layer, const LayerPolicy& policy, bool cuts) const {
  const double kl = evaluate(layer, policy).kl;
  if (!cuts) return kl;
  LayerPolicy experts = policy;
  experts.cuts = {};
  return kl + (table_.expert_price - 1) * evaluate_experts(layer, experts).kl;
}

double Predictor::decode_ms(const LayerPolicy& policy) const {
  const double ms = policy.kind == Kind::dense ? latency_->dense_decode_ms : (*decode_)(policy.mean_experts);
  if (!policy.cuts_inputs() || !latency_->cuts || !table_.sizes) return ms;
  return ms - latency_->cuts->saved_ms(table_.sizes->left_out_of_ffn(policy) +
                                       table_.sizes->left_out_of_attention(policy));
}

PolicyNumbers Predictor::numbers(const std::vector<LayerPolicy>& layers) const {
  return numbers(layers, std::ranges::any_of(layers, [](const auto& layer) { return layer.cuts_inputs(); }));
}

PolicyNumbers Predictor::numbers(const std::vector<LayerPolicy>& layers, bool cuts) const {
  if (layers.size() != table_.layers.size())
    throw Refusal(fmt::format("The policy has {} layers, the run {}.", layers.size(), table_.layers.size()),
                  "Make one for this run: {choose_policy}.");
  double kl = 0, activated = 0, left_out = 0, decode = 0, prefill = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const Candidate candidate = evaluate(static_cast<int>(l), layers[l]);
    kl += priced_kl(static_cast<int>(l), layers[l], cuts);
    activated += candidate.activated;
    left_out += candidate.attention_left_out;
    if (latency_ == nullptr) continue;
    const bool dense = candidate.policy.kind == Kind::dense;
    decode += decode_ms(candidate.policy);
    prefill += dense ? latency_->dense_prefill_ms : (*prefill_)(candidate.policy.mean_experts);
  }
  PolicyNumbers numbers;
  const Corrections& joint = corrections(cuts);
  numbers.kl = joint.kl(kl);
  numbers.perplexity = std::exp(table_.dense_nll + joint.nll(kl));
  if (latency_ != nullptr) {
    numbers.decode_ms = latency_->other_decode_ms + decode;
    numbers.prefill_ms = latency_->other_prefill_ms + prefill;
  }
  const double used = joint.activity(activated - left_out);
  numbers.activated_parameters = table_.other_activated + used;
  numbers.activated_fraction = numbers.activated_parameters / (table_.other_activated + dense_ffn_);
  numbers.ffn_activated = (used + left_out) / dense_ffn_;
  return numbers;
}

PolicyNumbers predict(const TradeoffTable& table, const LatencyTable* latency,
                      const std::vector<LayerPolicy>& layers) {
  const auto none_is = [&](Kind kind) { return std::ranges::count(layers, kind, &LayerPolicy::kind) == 0; };
  if (none_is(Kind::top_k) || !none_is(Kind::threshold)) return Predictor(table, latency).numbers(layers);
  const auto judged = judged_by_top_k(table);
  return Predictor(judged, latency).numbers(layers);
}

}  // namespace ladimo
