#include "commands/opened_model.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"

namespace ladimo {
namespace {

/// Where the run's dense original is: as its recipe says, or beside the run when both were moved together.
std::filesystem::path original_of(const RunFolder& run, const Recipe& recipe) {
  const auto beside = normal_path(run.path()).parent_path() / recipe.model.filename();
  return !looks_like_model(recipe.model) && looks_like_model(beside) ? beside : recipe.model;
}

void require_converted_from(const Checkpoint& original, const std::string& fingerprint) {
  if (original.fingerprint() != fingerprint)
    throw Refusal("This checkpoint is not the one that was converted (their fingerprints differ).",
                  "Choose the original with {dense}.", original.path());
}

[[noreturn]] void refuse_policy(const std::filesystem::path& model) {
  throw Refusal("A policy was given for a dense model.", "Use a run folder instead, or omit {policy}.",
                model);
}

OpenedModel open_with_original(const RunFolder& run, const std::optional<std::filesystem::path>& dense) {
  const Recipe recipe = run.recipe();
  auto checkpoint = [&] {
    try {
      return Checkpoint::open(dense.value_or(original_of(run, recipe)));
    } catch (const Refusal& refusal) {
      throw Refusal("The original model of this run cannot be opened: " + std::string(refusal.what()),
                    dense ? refusal.hint() : "Give its current path with {dense}.", refusal.path());
    }
  }();
  require_converted_from(checkpoint, recipe.model_fingerprint);
  return {std::move(checkpoint), run, {}};
}

/// Throws Refusal unless everything outside the FFNs is as in the original. Otherwise the two could not be
/// compared.
void require_same_model(const Checkpoint& native, const Checkpoint& original) {
  for (const ExpectedTensor& tensor : expected_tensors(original.config()))
    if (!is_ffn(tensor.role) && Checkpoint::fingerprint(native.store().at(tensor.name)) !=
                                    Checkpoint::fingerprint(original.store().at(tensor.name)))
      throw Refusal(fmt::format("Tensor {} differs from the original model.", tensor.name),
                    "The folder is damaged or was changed: {export_again}.", native.path());
}

OpenedModel open_native(Checkpoint native, const std::optional<std::filesystem::path>& dense) {
  const auto& section = *native.native();
  std::optional<Checkpoint> original;
  if (dense) {
    original = Checkpoint::open(*dense);
    require_converted_from(*original, section.fingerprint);
  } else {
    original = Checkpoint::examine(section.origin).opened;
    if (original && original->fingerprint() != section.fingerprint) original.reset();
  }
  if (original) require_same_model(native, *original);
  return {std::move(native), {}, std::move(original)};
}

}  // namespace

MoeLayers run_layers(const RunFolder& run, at::Device device, at::ScalarType dtype) {
  const LayerStore store = run.layers();
  return {[store, device, dtype](int layer) {
            return std::make_shared<const MoeWeights>(load_moe_weights(store.weights(layer), device, dtype));
          },
          [store](int layer) { return store.shape(layer); }};
}

at::ScalarType stream_dtype(const Recipe& recipe) {
  return recipe.stream == "bfloat16" ? at::kBFloat16 : at::kFloat;
}

ModelPolicy all_dense(const ModelConfig& config) {
  return ModelPolicy(static_cast<std::size_t>(config.layers), LayerPolicy::dense());
}

OpenedModel OpenedModel::open(const std::filesystem::path& path,
                              const std::optional<std::filesystem::path>& dense) {
  if (is_run(path)) return open_with_original(open_run(path), dense);
  auto checkpoint = Checkpoint::open(path);
  if (checkpoint.native()) return open_native(std::move(checkpoint), dense);
  if (dense)
    throw Refusal("An original model was given for a model that is itself dense.",
                  "Omit {dense}, or use a run or an exported model.", path);
  return {std::move(checkpoint), {}, {}};
}

bool OpenedModel::has_dense(int layer) const {
  return !checkpoint.native() || original ||
         checkpoint.native()->layers[static_cast<std::size_t>(layer)].dense;
}

bool OpenedModel::has_dense() const {
  for (int l = 0; l < checkpoint.config().layers; ++l)
    if (!has_dense(l)) return false;
  return true;
}

bool OpenedModel::has_converted(int layer) const {
  if (run) return run->layers().done(layer);
  return checkpoint.native() && checkpoint.native()->layers[static_cast<std::size_t>(layer)].converted;
}

std::string OpenedModel::fingerprint() const {
  if (run) return run->recipe().model_fingerprint;
  return checkpoint.native() ? checkpoint.native()->fingerprint : checkpoint.fingerprint();
}

std::filesystem::path OpenedModel::seen_text_file() const {
  return run ? run->seen_text_file() : checkpoint.path() / "seen_text.bin";
}

MoeLayers OpenedModel::layers(at::Device device, at::ScalarType dtype) const {
  if (run) return run_layers(*run, device, dtype);
  if (!checkpoint.native()) return {};
  const auto shape = [native = checkpoint](int layer) {
    const auto& metadata = native.native()->layers[static_cast<std::size_t>(layer)].metadata;
    return stored_shape(native.store(), native_prefix(layer), metadata);
  };
  return {[native = checkpoint, device, dtype](int layer) {
            return std::make_shared<const MoeWeights>(load_moe_weights(native, layer, device, dtype));
          },
          shape};
}

Policy OpenedModel::policy(const std::optional<std::filesystem::path>& file) const {
  const auto layers = static_cast<std::size_t>(checkpoint.config().layers);
  if (!is_converted()) {
    if (file) refuse_policy(checkpoint.path());
    Policy policy;
    policy.layers = all_dense(checkpoint.config());
    return policy;
  }
  if (run) return checked(run->policy(layers, file), file.value_or(run->policy_file()));
  const auto from = file.value_or(checkpoint.path() / "policy.json");
  return checked(read_policy(from, fingerprint(), layers), from);
}

Policy OpenedModel::policy_from(const nlohmann::json& content) const {
  if (!is_converted()) refuse_policy(checkpoint.path());
  Policy policy = policy_from_json(content);
  require_model(policy, fingerprint(), static_cast<std::size_t>(checkpoint.config().layers));
  return checked(std::move(policy), {});
}

Policy OpenedModel::checked(Policy policy, const std::filesystem::path& file) const {
  const int routed = run ? run->recipe().routed() : checkpoint.native()->routed_experts;
  for (int l = 0; l < static_cast<int>(policy.layers.size()); ++l) {
    const LayerPolicy& layer = policy.layers[static_cast<std::size_t>(l)];
    const bool dense = layer.kind == LayerPolicy::Kind::dense;
    if (dense && !has_dense(l))
      throw Refusal(
          fmt::format("The policy wants layer {} dense, but this folder contains only its converted weights.",
                      l),
          "Choose the original model with {dense}, or export with {all_policies}.", file);
    if (!dense && !has_converted(l))
      throw Refusal(fmt::format("The policy wants layer {} sparse, but it is not converted here.", l),
                    run ? "Make a policy for this run: {choose_policy}." : "Export with {all_policies}.",
                    file);
    if (layer.kind == LayerPolicy::Kind::top_k && layer.k > routed)
      throw Refusal(
          fmt::format("The policy wants {} experts in layer {}, but only {} are routed.", layer.k, l, routed),
          fmt::format("Use a k of at most {}, or dense.", routed), file);
  }
  return policy;
}

}  // namespace ladimo
