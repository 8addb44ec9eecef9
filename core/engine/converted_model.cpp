#include "engine/converted_model.h"

#include <set>

#include "base/error.h"

namespace ladimo {

MoeProvider run_layers(const RunFolder& run, at::Device device, at::ScalarType dtype) {
  return [run, device, dtype, checked = std::set<int>()](int layer) mutable {
    if (!run.layer_done(layer))
      throw Refusal("Layer " + std::to_string(layer) + " is not converted in this run.",
                    "Run `ladimo convert` again to finish the run.", run.path());
    if (!checked.contains(layer) && !run.layer_intact(layer))
      throw Refusal(
          "Layer " + std::to_string(layer) + " of this run is damaged: its weights are not what was written.",
          "Run `ladimo convert` again: it makes the layer anew.", run.layer_weights(layer));
    checked.insert(layer);
    return std::make_shared<const MoeWeights>(load_moe_weights(run.layer_weights(layer), device, dtype));
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

Policy OpenedModel::policy(const std::optional<std::filesystem::path>& file) const {
  const auto layers = static_cast<std::size_t>(checkpoint.config().layers);
  if (!run) {
    if (file)
      throw Refusal("--policy goes with a RUN, and this is a dense model.", "Name the run folder instead.",
                    checkpoint.folder());
    Policy policy;
    policy.layers.assign(layers, LayerPolicy::dense());
    return policy;
  }
  Policy policy = run->policy(file);
  if (policy.layers.size() != layers)
    throw Refusal("The policy is for a model of " + std::to_string(policy.layers.size()) +
                      " layers, this one has " + std::to_string(layers) + ".",
                  "Use a policy that was made for this run.", file.value_or(run->policy_file()));
  for (std::size_t l = 0; l < layers; ++l)
    if (policy.layers[l].kind != LayerPolicy::Kind::dense && !run->layer_done(static_cast<int>(l)))
      throw Refusal(
          "The policy wants layer " + std::to_string(l) + " sparse, but the run has not converted it.",
          "Solve a policy for this run with `ladimo policy`.", file.value_or(run->policy_file()));
  return policy;
}

}  // namespace ladimo
