#include "commands/export_fit.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "evaluate/evaluation.h"
#include "evaluate/scores.h"
#include "policy/class_policies.h"
#include "run/estimate.h"
#include "run/memory_use.h"
#include "run/plan.h"
#include "run/run_text.h"
#include "stream/window_order.h"
#include "transfer/moe_finish.h"
#include "transfer/moe_fit.h"
#include "transfer/standard_file.h"
#include "transfer/standard_layer.h"

namespace ladimo {
namespace {

// What the parts of the step take, in passes of training.
constexpr double pass_of_fit = 0.4, pass_of_measuring = 0.2;

/// The layers of a folder.
class KeptLayers {
 public:
  KeptLayers(std::filesystem::path folder, const char* kind) : folder_(std::move(folder)), kind_(kind) {}
  void save(int layer, const StandardMoe& moe) const { save_standard_moe(file(layer), moe); }
  bool has(int layer) const { return exists(file(layer)); }
  StandardMoe load(int layer, at::Device device) const { return load_standard_moe(file(layer), device); }

 private:
  std::filesystem::path file(int layer) const {
    return folder_ / fmt::format("{}-{:03}.safetensors", kind_, layer);
  }
  std::filesystem::path folder_;
  const char* kind_;
};

/// One way to have the layers of a class: by number, without null experts.
using LayersOfClass = std::function<StandardMoe(int layer)>;

/// Adds a model to `models` that has layers of a class where `policy` is not dense.
void add_model(Branches& models, const ModelPolicy& policy, const LayersOfClass& layer_of) {
  models.first_layer.push_back(
      std::ranges::find_if_not(policy, [](const auto& layer) { return layer.original(); }) - policy.begin());
  models.layers = [before = std::move(models.layers), &policy, layer_of](int l) {
    auto layers = before(l);
    const bool dense = policy[static_cast<std::size_t>(l)].kind == LayerPolicy::Kind::dense;
    layers.push_back({dense ? nullptr : std::make_shared<const StandardMoe>(layer_of(l)), 0, 0});
    return layers;
  };
}

/// Measures the run under the policy that was asked for, and its layers in a class: as they are, fitted, and
/// perhaps trained.
FitPrice price_of(const WeightSource& source, const MoeLayers& moe, const Policy& wanted,
                  const ModelPolicy& used, const std::vector<LayersOfClass>& of_class, const Windows& windows,
                  const Context& context) {
  const std::vector<ModelPolicy> policies = {wanted.layers};
  auto models = under_policies(source, moe, policies, SkippedExperts::masked);
  for (const auto& layers : of_class) add_model(models, used, layers);
  const auto scores = score(source, models, windows, context);
  const auto numbers_of = [&](std::size_t model) {
    const auto numbers = measured_numbers(summarise(scores, model), scores.policies[model], source.config());
    return FitPrice::Numbers{numbers.kl, numbers.activated_fraction};
  };
  FitPrice price{summarise(scores, 0).tokens, numbers_of(0), numbers_of(1), numbers_of(2)};
  if (of_class.size() > 2) price.finished = numbers_of(3);
  return price;
}

/// Throws Refusal where training takes more memory than may be used.
void require_memory(const LoadedModel& model, const Recipe& recipe, const Windows& calibration) {
  const auto tokens = calibration.count() * calibration.window;
  const Workload work{model.config(), recipe, tokens};
  const double needed = program_bytes + finish_memory(work, 0, static_cast<double>(tokens)).needed;
  const auto free = static_cast<double>(model.runtime().memory.value_or(usual_memory()));
  if (needed > free)
    throw Refusal(fmt::format("Training the fitted layers takes {} of memory; {} may be used.",
                              format_bytes(needed), format_bytes(free)),
                  "Leave {finish} out, or allow more with {memory}.");
}

}  // namespace

FittedRun fit_run(const LoadedModel& model, const Format& format, const Policy& wanted, int epochs,
                  const std::filesystem::path& scratch, const Context& context) {
  const OpenedModel& opened = model.opened();
  const RunFolder& run = *opened.run;
  Recipe recipe = run.recipe();
  recipe.finish.epochs = epochs;
  const MoeClass& target = *format.moe_class();
  FittedRun result{nearest_policy(format, run, wanted), {}, {}};
  const ModelPolicy& policy = result.policy.layers;
  const Split text = whole_text(run, recipe, opened.run_text, model.tokenizer());
  if (epochs > 0) require_memory(model, recipe, text.calibration);
  const auto& [source, moe] = model.exact();
  const auto device = source.device();
  const auto storage = storage_dtype(opened.checkpoint);
  const double fitted_until = pass_of_fit / (pass_of_fit + epochs + pass_of_measuring);
  const double finished_until = 1 - pass_of_measuring / (pass_of_fit + epochs + pass_of_measuring);

  const KeptLayers as_it_is(scratch, "as-it-is"), fitted(scratch, "fitted"), finished(scratch, "finished");
  fit_for_class(
      target, source, moe, policy, recipe, text.calibration, storage,
      [&](int l, const FittedLayer& layer) {
        as_it_is.save(l, layer.as_it_is);
        fitted.save(l, layer.fitted);
      },
      context.part(0, fitted_until));
  const auto of = [device](const KeptLayers& kept) -> LayersOfClass {
    return [kept, device](int l) { return kept.load(l, device); };
  };
  // The fit aims at the outputs of single layers. A run that was made for the class may be nearer as it is.
  const Windows judging =
      WindowOrder(text.calibration.count(), recipe.stage1.validation_share).judging(text.calibration);
  const auto kl_of = [&](const KeptLayers& kept) {
    return kl_of_class(source, policy, of(kept), judging, context.part(fitted_until, fitted_until));
  };
  const KeptLayers& nearest = kl_of(fitted) < kl_of(as_it_is) ? fitted : as_it_is;
  const LayersOfClass written = [nearest, finished, device](int l) {
    return (finished.has(l) ? finished : nearest).load(l, device);
  };
  if (epochs > 0)
    finish_for_class(
        target, source, policy, of(nearest), recipe, text.calibration, storage,
        [&](int l, const StandardMoe& layer) { finished.save(l, layer); },
        context.part(fitted_until, finished_until));

  std::vector<LayersOfClass> measured = {of(as_it_is), of(nearest)};
  if (epochs > 0) measured.push_back(written);
  result.price =
      price_of(source, moe, wanted, policy, measured, text.checking, context.part(finished_until, 1));
  result.layer = [&target, written, policy, ks = ks_of(policy)](int l) {
    return std::make_shared<const StandardMoe>(
        with_null_experts(target, written(l), ks, policy[static_cast<std::size_t>(l)].k));
  };
  return result;
}

}  // namespace ladimo
