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
#include "transfer/class_scores.h"
#include "transfer/moe_finish.h"
#include "transfer/moe_fit.h"
#include "transfer/standard_file.h"
#include "transfer/standard_layer.h"

namespace ladimo {
namespace {

// What the parts of the step take, in passes of training.
constexpr double pass_of_fit = 0.4, pass_of_choice = 0.05, pass_of_measuring = 0.2;

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

/// Measures the run under the policy that was asked for, and layers of a class.
std::vector<FitPrice::Numbers> numbers_of(const WeightSource& source, const MoeLayers& moe,
                                          const Policy& wanted, const ModelPolicy& used,
                                          const std::vector<LayersOfClass>& ways, const Windows& windows,
                                          std::int64_t& tokens, const Context& context) {
  const std::vector<ModelPolicy> policies = {wanted.layers};
  auto models = under_policies(source, moe, policies, SkippedExperts::masked);
  for (const LayersOfClass& layers : ways) add_model(models, used, layers);
  const auto scores = score(source, models, windows, context);
  tokens = summarise(scores, 0).tokens;
  std::vector<FitPrice::Numbers> numbers;
  for (std::size_t m = 0; m < scores.policies.size(); ++m) {
    const auto measured = measured_numbers(summarise(scores, m), scores.policies[m], source.config());
    numbers.push_back({measured.kl, measured.activated_fraction});
  }
  return numbers;
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
                  "Omit {finish}, or allow more with {memory}.");
}

}  // namespace

FittedRun fit_run(const LoadedModel& model, const Format& format, const Policy& wanted, int epochs,
                  const std::filesystem::path& scratch, const Context& context) {
  const OpenedModel& opened = model.opened();
  const RunFolder& run = *opened.run;
  Recipe recipe = run.recipe();
  recipe.finish.epochs = epochs;
  recipe.finish.shift = false;  // one policy needs none
  const MoeClass& target = *format.moe_class();
  FittedRun result{nearest_policy(format, run, wanted), {}, {}};
  const ModelPolicy& policy = result.policy.layers;
  const Split text = whole_text(run, recipe, opened.run_text, model.tokenizer());
  if (epochs > 0) require_memory(model, recipe, text.calibration);
  const auto& [source, moe] = model.exact();
  const auto device = source.device();
  const auto storage = storage_dtype(opened.checkpoint);
  const double passes = pass_of_fit + pass_of_choice + epochs + pass_of_measuring;
  const double fitted_until = pass_of_fit / passes;
  const double chosen_until = (pass_of_fit + pass_of_choice) / passes;
  const double finished_until = 1 - pass_of_measuring / passes;

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
  const auto kls = kls_of_class(source, policy, {of(as_it_is), of(fitted)}, judging,
                                context.part(fitted_until, chosen_until));
  const bool better = kls[1] < kls[0];
  const bool trained = epochs > 0 && finish_for_class(
                                         target, source, policy, of(better ? fitted : as_it_is),
                                         std::min(kls[0], kls[1]), recipe, text.calibration, storage,
                                         [&](int l, const StandardMoe& layer) { finished.save(l, layer); },
                                         context.part(chosen_until, finished_until));

  // As they are written, with null experts.
  const auto whole = [&](const KeptLayers& kept) -> LayersOfClass {
    return [&target, layer_of = of(kept), policy, ks = ks_of(policy)](int l) {
      return with_null_experts(target, layer_of(l), ks, policy[static_cast<std::size_t>(l)].k);
    };
  };
  std::vector<LayersOfClass> ways = {whole(as_it_is), whole(fitted)};
  if (trained) ways.push_back(whole(finished));
  FitPrice& price = result.price;
  const auto numbers = numbers_of(source, moe, wanted, policy, ways, text.checking, price.tokens,
                                  context.part(finished_until, 1));
  price.wanted = numbers[0];
  price.as_it_is = numbers[1];
  price.fitted = numbers[2];
  if (trained) price.finished = numbers[3];
  price.written = trained ? FitState::finished : better ? FitState::fitted : FitState::as_it_is;
  result.layer = [layer_of = whole(trained  ? finished
                                   : better ? fitted
                                            : as_it_is)](int l) {
    return std::make_shared<const StandardMoe>(layer_of(l));
  };
  return result;
}

}  // namespace ladimo
