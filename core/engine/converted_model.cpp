#include "engine/converted_model.h"

#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "run/finish_record.h"

namespace ladimo {
namespace {

[[noreturn]] void refuse_policy(const std::filesystem::path& model) {
  throw Refusal("A policy goes with a RUN, and this is a dense model.", "Name the run folder instead.",
                model);
}

}  // namespace

MoeProvider run_layers(const RunFolder& run, at::Device device, at::ScalarType dtype) {
  return [run, device, dtype, checked = std::set<int>()](int layer) mutable {
    if (!run.layer_done(layer))
      throw Refusal("Layer " + std::to_string(layer) + " is not converted in this run.",
                    "Run `ladimo convert` again to finish the run.", run.path());
    const auto file = weights_in_use(run, layer);
    if (!checked.contains(layer) && !file.intact())
      throw Refusal(
          "Layer " + std::to_string(layer) + " of this run is damaged: its weights are not what was written.",
          "Run `ladimo convert` again: it makes the layer anew.", file.path);
    checked.insert(layer);
    return std::make_shared<const MoeWeights>(load_moe_weights(file.path, device, dtype));
  };
}

std::vector<std::shared_ptr<const FeedForward>> policy_ffns(const MoeProvider& moe,
                                                            const ModelPolicy& policy) {
  std::vector<std::shared_ptr<const FeedForward>> ffns(policy.size());
  for (std::size_t l = 0; l < policy.size(); ++l)
    if (policy[l].kind != LayerPolicy::Kind::dense)
      ffns[l] = std::make_shared<MoeLayer>(moe(static_cast<int>(l)), policy[l]);
  return ffns;
}

ModelPolicy all_dense(const ModelConfig& config) {
  return ModelPolicy(static_cast<std::size_t>(config.layers), LayerPolicy::dense());
}

OpenedModel OpenedModel::open(const std::filesystem::path& path,
                              const std::optional<std::filesystem::path>& dense) {
  if (!is_run(path)) {
    if (dense)
      throw Refusal("--dense goes with a RUN, and this is not one.",
                    "Name a run folder, or leave --dense out.", path);
    return {Checkpoint::open(path), {}};
  }
  const RunFolder run = open_run(path);
  const Recipe recipe = run.recipe();
  auto checkpoint = [&] {
    try {
      return Checkpoint::open(dense.value_or(recipe.model));
    } catch (const Refusal& refusal) {
      throw Refusal("The dense original of this run cannot be opened: " + std::string(refusal.what()),
                    dense ? refusal.hint() : "Name the folder where it is now with --dense MODEL.",
                    refusal.path());
    }
  }();
  if (checkpoint.fingerprint() != recipe.model_fingerprint)
    throw Refusal("This checkpoint is not the one that the run converted (their fingerprints differ).",
                  "Name the original with --dense MODEL.", checkpoint.folder());
  return {std::move(checkpoint), run};
}

std::string OpenedModel::fingerprint() const {
  return run ? run->recipe().model_fingerprint : checkpoint.fingerprint();
}

MoeProvider OpenedModel::layers(at::Device device, at::ScalarType dtype) const {
  return run ? run_layers(*run, device, dtype) : MoeProvider();
}

Policy OpenedModel::policy(const std::optional<std::filesystem::path>& file) const {
  const auto layers = static_cast<std::size_t>(checkpoint.config().layers);
  if (!is_converted()) {
    if (file) refuse_policy(checkpoint.folder());
    Policy policy;
    policy.layers = all_dense(checkpoint.config());
    return policy;
  }
  Policy policy = run->policy(layers, file);
  require_carried_out(policy, file.value_or(run->policy_file()));
  return policy;
}

Policy OpenedModel::policy_from(const nlohmann::json& content) const {
  if (!is_converted()) refuse_policy(checkpoint.folder());
  Policy policy = policy_from_json(content);
  require_model(policy, fingerprint(), static_cast<std::size_t>(checkpoint.config().layers));
  require_carried_out(policy, {});
  return policy;
}

void OpenedModel::require_carried_out(const Policy& policy, const std::filesystem::path& file) const {
  const int routed = run->recipe().routed();
  for (std::size_t l = 0; l < policy.layers.size(); ++l) {
    const LayerPolicy& layer = policy.layers[l];
    if (layer.kind == LayerPolicy::Kind::dense) continue;
    if (!run->layer_done(static_cast<int>(l)))
      throw Refusal(fmt::format("The policy wants layer {} sparse, but the run has not converted it.", l),
                    "Solve a policy for this run with `ladimo policy`.", file);
    if (layer.kind == LayerPolicy::Kind::top_k && layer.k > routed)
      throw Refusal(
          fmt::format("The policy wants {} experts in layer {}, but only {} are routed.", layer.k, l, routed),
          fmt::format("Use a k of at most {}, or dense.", routed), file);
  }
}

}  // namespace ladimo
