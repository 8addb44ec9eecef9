#include "transfer/moe_format.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "checkpoint/gguf.h"
#include "policy/class_policies.h"
#include "run/class_check.h"
#include "transfer/layerwise_model.h"
#include "transfer/moe_folder.h"
#include "transfer/moe_gguf.h"

namespace ladimo {
namespace {

MoeModel model_of(const MoeClass& target, const ExportSource& source) {
  MoeModel model{&target, source.original, {}, source.moe, source.description};
  for (const LayerPolicy& layer : source.policy.layers)
    model.routed.push_back(layer.kind != LayerPolicy::Kind::dense);
  return model;
}

class MoeFormat : public Format {
 public:
  MoeFormat(const MoeClass& target, std::optional<GgufPrecision> gguf) : target_(target), gguf_(gguf) {}

  const char* name() const override { return target_.name; }
  const char* title() const override { return target_.title; }
  const MoeClass* moe_class() const override { return &target_; }
  bool in_gguf() const override { return gguf_.has_value(); }
  MoeLimits limits(const RunFolder& run, std::size_t layers) const override {
    MoeLimits limits = gguf_ ? target_.in_gguf : target_.in_transformers;
    if (!gguf_ || run.recipe().layers.empty()) return limits;
    const auto shape = run.layers().shape(run.recipe().layers.front());
    const auto always = experts_for_shared(target_, shape.shared_neurons, shape.expert_neurons);
    limits.most_k = std::max(
        0, most_experts_in_gguf(target_, static_cast<std::int64_t>(layers), shape.shared_neurons > 0) -
               static_cast<int>(always));
    return limits;
  }

  std::optional<Problem> objection(const Checkpoint& original) const override {
    if (gguf_) {
      const ModelConfig& config = original.config();
      // Its key is written and read, but no graph of llama.cpp for these architectures uses it.
      if (config.sliding_window > 0 && config.sliding_window < config.max_positions)
        return problem("has no sliding window", "Choose {format} native.");
      const auto problems = gguf_problems(target_, original);
      if (config.mlp_bias) return problem("has no biases in its FFNs", "Choose {format} native.");
      return problems.empty() ? std::nullopt : std::optional(problems.front());
    }
    const auto reason = ladimo::objection(target_, original.config());
    if (!reason) return std::nullopt;
    return problem(*reason, "Choose another {format}; native has everything.");
  }

  std::optional<Problem> objection(const RunFolder& run, const ModelPolicy& policy) const override {
    auto reason = ladimo::objection(limits(run, policy.size()), policy);
    for (std::size_t l = 0; l < policy.size() && !reason; ++l)
      if (policy[l].kind != LayerPolicy::Kind::dense)
        reason = ladimo::objection(target_, TensorStore::open(run.layers().weights(static_cast<int>(l))));
    if (!reason) return std::nullopt;
    return problem(*reason,
                   "Use {fit} for the closest model that the format supports, or choose {format} native.");
  }

  std::uint64_t bytes(const ExportSource& source) const override {
    const auto model = model_of(target_, source);
    return gguf_ ? moe_gguf_bytes(model, *gguf_) : moe_folder_bytes(model);
  }

  void write(const ExportSource& source, const std::filesystem::path& path,
             const Context& context) const override {
    const auto model = model_of(target_, source);
    if (gguf_) {
      write_moe_gguf(model, path, *gguf_, source.shard_bytes, context);
      return;
    }
    write_moe_folder(model, path, source.shard_bytes, context);
    write_json(path / "policy.json", to_json(source.policy));
    copy_small_files(source.original.files(), path);
  }

  Verification verify(const ExportSource& source, const std::filesystem::path& path, const Expected& expected,
                      const WeightSource& weights, const Context& context) const override {
    // A folder holds quantised weights as they are read, GGUF as they are exactly.
    const WeightSource exact =
        gguf_ ? weights.exact() : WeightSource(source.original, weights.device(), at::kFloat);
    const auto& policy = source.policy.layers;
    const auto ours = with_ffns(exact, [&](std::int64_t l) -> std::shared_ptr<const FeedForward> {
      if (policy[static_cast<std::size_t>(l)].kind == LayerPolicy::Kind::dense) return nullptr;
      return source.moe(static_cast<int>(l));
    });
    const auto file = exists(path) ? path : first_part_of_gguf(path).value_or(path);
    const auto written =
        gguf_ ? read_moe_gguf(target_, file, exact.device()) : read_moe_folder(target_, path, exact.device());
    const bool exact_weights = holds_all(source.original);
    require_same_tensors(ours, written, tolerance(exact_weights), context);
    const auto found = logits_of(written, expected.ids, context);
    const auto as_class = logits_of(ours, expected.ids, context);
    if (exact_weights) require_same_logits(as_class, found, path);
    auto verification = compare_logits(expected.logits, found);
    verification.max_logit_error = compare_logits(as_class, found).max_logit_error;
    return verification;
  }

 private:
  Problem problem(const std::string& reason, std::string hint) const {
    return {fmt::format("{}{} cannot express this: it {}.", target_.title, gguf_ ? " in GGUF" : "", reason),
            std::move(hint),
            {}};
  }

  /// Whether all weights are written as they are.
  bool holds_all(const Checkpoint& original) const {
    if (!gguf_ || *gguf_ == GgufPrecision::f32) return true;
    return *gguf_ == GgufPrecision::bf16 &&
           std::ranges::all_of(original.store().tensors(), [](const auto& entry) {
             return entry.second.lies_plain() && entry.second.dtype == DType::bf16;
           });
  }

  /// How far a tensor may be from what it should be, by rounding alone.
  double tolerance(bool exact) const {
    if (exact) return 1e-6;
    return *gguf_ == GgufPrecision::q8_0 ? 0.02 : 0.005;
  }

  const MoeClass& target_;
  std::optional<GgufPrecision> gguf_;
};

}  // namespace

std::unique_ptr<const Format> moe_format(const MoeClass& target, std::optional<GgufPrecision> gguf) {
  return std::make_unique<MoeFormat>(target, gguf);
}

std::function<std::shared_ptr<const StandardMoe>(int layer)> layers_of_class(const MoeClass& target,
                                                                             const ExportSource& source,
                                                                             at::Device device) {
  return [&target, store = source.run.layers(), policy = source.policy.layers, device,
          ks = ks_of(source.policy.layers), storage = storage_dtype(source.original)](int l) {
    const LayerPolicy& layer = policy[static_cast<std::size_t>(l)];
    const auto weights = load_moe_weights(store.weights(l), device, at::kFloat).at(layer);
    return std::make_shared<const StandardMoe>(
        with_null_experts(target, standard_layer(target, weights, layer.k, storage), ks, layer.k));
  };
}

}  // namespace ladimo
