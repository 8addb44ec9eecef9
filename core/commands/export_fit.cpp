#include "commands/export_fit.h"

#include <utility>

#include <fmt/format.h>

#include "evaluate/evaluation.h"
#include "evaluate/scores.h"
#include "policy/class_policies.h"
#include "run/run_text.h"
#include "transfer/moe_fit.h"
#include "transfer/standard_file.h"

namespace ladimo {
namespace {

constexpr double fitted_until = 0.7;  // share of the step's time

/// The layers of a folder.
class KeptLayers {
 public:
  KeptLayers(std::filesystem::path folder, const char* kind) : folder_(std::move(folder)), kind_(kind) {}
  void save(int layer, const StandardMoe& moe) const { save_standard_moe(file(layer), moe); }
  std::shared_ptr<const StandardMoe> load(int layer, at::Device device) const {
    return std::make_shared<const StandardMoe>(load_standard_moe(file(layer), device));
  }

 private:
  std::filesystem::path file(int layer) const {
    return folder_ / fmt::format("{}-{:03}.safetensors", kind_, layer);
  }
  std::filesystem::path folder_;
  const char* kind_;
};

/// Adds models to `models` that have the layers of a folder where `policy` is not dense.
void add_kept(Branches& models, const ModelPolicy& policy, const KeptLayers& kept, at::Device device) {
  models.first_layer.push_back(
      std::ranges::find_if_not(policy, [](const auto& layer) { return layer.original(); }) - policy.begin());
  models.layers = [before = std::move(models.layers), policy, kept, device](int l) {
    auto layers = before(l);
    const bool dense = policy[static_cast<std::size_t>(l)].kind == LayerPolicy::Kind::dense;
    layers.push_back({dense ? nullptr : kept.load(l, device), 0, 0});
    return layers;
  };
}

FitPrice price_of(const WeightSource& source, const MoeLayers& moe, const Policy& wanted,
                  const ModelPolicy& used, const KeptLayers& as_it_is, const KeptLayers& fitted,
                  const Windows& windows, const Context& context) {
  const std::vector<ModelPolicy> policies = {wanted.layers};
  auto models = under_policies(source, moe, policies, SkippedExperts::masked);
  add_kept(models, used, as_it_is, source.device());
  add_kept(models, used, fitted, source.device());
  const auto scores = score(source, models, windows, context);
  const auto numbers_of = [&](std::size_t model) {
    const auto numbers = measured_numbers(summarise(scores, model), scores.policies[model], source.config());
    return FitPrice::Numbers{numbers.kl, numbers.activated_fraction};
  };
  return {summarise(scores, 0).tokens, numbers_of(0), numbers_of(1), numbers_of(2)};
}

}  // namespace

FittedRun fit_run(const LoadedModel& model, const Format& format, const Policy& wanted,
                  const std::filesystem::path& scratch, const Context& context) {
  const OpenedModel& opened = model.opened();
  const RunFolder& run = *opened.run;
  const Recipe recipe = run.recipe();
  if (recipe.layers.empty())
    throw Refusal("This run has no experts that a policy could choose.",
                  "Convert layers in another run with {layers}.", run.path());
  FittedRun result{wanted, {}, {}};
  if (objection(format.limits(), wanted.layers)) {
    const auto& layer = run.layers().shape(recipe.layers.front());
    result.policy = ClassPolicies(run.tradeoff(), format.limits(), shape_in(*format.moe_class(), layer))
                        .at_activated(wanted.predicted.activated_fraction);
  }
  const Split text = whole_text(run, recipe, opened.run_text, model.tokenizer());
  const auto& [source, moe] = model.exact();
  const KeptLayers as_it_is(scratch, "as-it-is"), fitted(scratch, "fitted");
  fit_for_class(
      *format.moe_class(), source, moe, result.policy.layers, recipe, text.calibration,
      storage_dtype(opened.checkpoint),
      [&](int l, const FittedLayer& layer) {
        as_it_is.save(l, layer.as_it_is);
        fitted.save(l, layer.fitted);
      },
      context.part(0, fitted_until));
  result.price = price_of(source, moe, wanted, result.policy.layers, as_it_is, fitted, text.checking,
                          context.part(fitted_until, 1));
  result.layer = [fitted, device = source.device()](int l) { return fitted.load(l, device); };
  return result;
}

}  // namespace ladimo
