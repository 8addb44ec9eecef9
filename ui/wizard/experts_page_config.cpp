#include "ui/wizard/experts_page_config.h"

#include "base/files.h"
#include "policy/moe_class.h"
#include "run/class_check.h"
#include "run/estimate.h"
#include "ui/engine/lexicon.h"
#include "ui/models/numbers.h"

namespace ladimo::ui {

ExpertsPageConfig::ExpertsPageConfig(Engine engine, QObject* parent)
    : PageConfig(parent), engine_(std::move(engine)) {}

void ExpertsPageConfig::set_model(std::shared_ptr<const ModelFacts> model) {
  if (model == model_) return;
  model_ = std::move(model);
  const auto text = recipe_.text;
  recipe_ = model_ && model_->described() ? default_recipe(model_->config) : Recipe{};
  recipe_.text = text;
  if (model_) recipe_.model = model_->path.toStdString();
  layers_ = QStringLiteral("all");
  layers_problem_.clear();
  update();
}

void ExpertsPageConfig::set_text(const QStringList& files) {
  recipe_.text.clear();
  for (const QString& file : files) recipe_.text.emplace_back(file.toStdString());
  update();
}

void ExpertsPageConfig::set_run_folder(const QString& folder) {
  if (folder == run_) return;
  run_ = folder;
  update();
}

void ExpertsPageConfig::set_target(const std::string& target) {
  if (target == recipe_.target) return;
  const bool usual = recipe_.shared == usual_shared(recipe_);
  const bool usual_size =
      model_ &&
      recipe_.experts == default_experts(recipe_, model_->config.intermediate_size, model_->config.layers);
  Stage1& stage = recipe_.stage1;
  if (recipe_.target.empty()) free_ = stage;
  recipe_.target.clear();
  // What made_for() decides.
  stage.router_ranks = free_.router_ranks;
  stage.router_bias = free_.router_bias;
  stage.top_k = free_.top_k;
  stage.offsets = free_.offsets;
  stage.compensation = free_.compensation;
  if (!target.empty()) recipe_ = made_for(moe_class_named(target), std::move(recipe_));
  if (usual_size)
    recipe_.experts = default_experts(recipe_, model_->config.intermediate_size, model_->config.layers);
  if (usual) recipe_.shared = usual_shared(recipe_);
  update();
}

void ExpertsPageConfig::set_layers(const QString& layers) {
  layers_ = layers;
  layers_problem_.clear();
  try {
    if (model_) recipe_.layers = parse_layers(layers.trimmed().toStdString(), model_->config.layers);
  } catch (const Refusal& refusal) {
    layers_problem_ = QString::fromUtf8(refusal.what()) + ' ' + in_window_words(refusal.hint());
  }
  update();
}

void ExpertsPageConfig::update() {
  sketch_.reset();
  if (settings_reason().isEmpty()) {
    const std::int64_t files = std::max<std::int64_t>(1, static_cast<std::int64_t>(recipe_.text.size()));
    const std::int64_t tokens = recipe_.tokens / files / recipe_.window * recipe_.window * files;
    const auto pace = PaceCache().find(model_->config, model_->threads, "cpu");
    pace_known_ = pace.has_value();
    sketch_ = sketch_plan(model_->config, recipe_, tokens, weight_bytes(), model_->threads, pace);
  }
  if (!engine_.remote()) {
    try {
      ram_ = available_ram_bytes();
      if (!run_.isEmpty()) disk_ = free_disk_bytes(run_.toStdString());
    } catch (const Error&) {
      // Free space is unknown here. The plan will say why.
    }
  }
  emit changed();
}

int ExpertsPageConfig::weight_bytes() const {
  constexpr int bf16 = 2;
  return model_->weight_bytes.value_or(bf16);
}

ExpertsPageConfig::Range ExpertsPageConfig::activated() const {
  if (!sketch_) return {};
  const Workload work{model_->config, recipe_, sketch_->tokens, weight_bytes(), 1};
  const auto dense = static_cast<double>(model_->config.activated_parameters());
  return {activated_estimate(work, 0) / dense, activated_estimate(work, recipe_.routed()) / dense};
}

QString ExpertsPageConfig::settings_reason() const {
  if (!model_ || !model_->described()) return tr("Choose a model first.");
  const ModelConfig& config = model_->config;
  if (!layers_problem_.isEmpty()) return layers_problem_;
  if (!recipe_.target.empty()) {
    const MoeClass& target = moe_class_named(recipe_.target);
    if (const auto reason = objection(target, config))
      return tr("%1 cannot hold this model: it %2. Choose another format.")
          .arg(QLatin1String(target.title), QString::fromStdString(*reason));
    const bool all = static_cast<std::int64_t>(recipe_.layers.size()) == config.layers;
    if (!all && target.in_transformers.dense == DenseLayers::none)
      return tr("%1 has experts in every layer. Convert all layers, or choose another format.")
          .arg(QLatin1String(target.title));
  }
  if (recipe_.experts < 1 || recipe_.experts > config.intermediate_size)
    return tr("An FFN with %1 neurons cannot be split into %2 experts.")
        .arg(config.intermediate_size)
        .arg(recipe_.experts);
  if (recipe_.shared < 0 || recipe_.shared >= recipe_.experts)
    return tr("With %1 of %2 experts shared, no routed experts remain. Share fewer.")
        .arg(recipe_.shared)
        .arg(recipe_.experts);
  if (recipe_.window < 2 || recipe_.window > config.max_positions)
    return tr("The window must have 2 to %1 tokens with this model.").arg(config.max_positions);
  if (recipe_.tokens < 2 * recipe_.window)
    return tr("%1 calibration tokens do not fill two windows. Use at least %2.")
        .arg(grouped(recipe_.tokens), grouped(2 * recipe_.window));
  if (recipe_.held_out_tokens < 2 * recipe_.window)
    return tr("%1 held-out tokens do not fill two windows. Use at least %2.")
        .arg(grouped(recipe_.held_out_tokens), grouped(2 * recipe_.window));
  return {};
}

QString ExpertsPageConfig::machine_reason() const {
  const auto bytes = [](std::uint64_t count) { return bytes_text(static_cast<double>(count)); };
  if (ram_ && sketch_->ram_bytes > *ram_)
    return tr("This needs %1 of memory; %2 are available. Use fewer calibration tokens, or close other "
              "programs.")
        .arg(bytes(sketch_->ram_bytes), bytes(*ram_));
  if (disk_ && sketch_->disk_bytes > *disk_)
    return tr("This needs %1 of disk; %2 are free. Free some space, or choose another disk on the next page.")
        .arg(bytes(sketch_->disk_bytes), bytes(*disk_));
  return {};
}

QString ExpertsPageConfig::reason() const {
  const QString settings = settings_reason();
  return settings.isEmpty() && sketch_ ? machine_reason() : settings;
}

}  // namespace ladimo::ui
