#include "ui/wizard/conversion_arguments.h"

#include <numeric>

#include <nlohmann/json.hpp>

#include "policy/moe_class.h"
#include "text/corpus.h"

namespace ladimo::ui {
namespace {

QString text_of(const std::filesystem::path& path) { return QString::fromStdString(path.string()); }

/// Stage 1's settings that differ from the defaults of what the run is made for; null when none does.
nlohmann::json stage1_changes(const Recipe& recipe) {
  const Recipe defaults = recipe.target.empty() ? Recipe{} : made_for(moe_class_named(recipe.target), {});
  const auto chosen = to_json(recipe)["stage1"], usual = to_json(defaults)["stage1"];
  nlohmann::json changes;
  for (const auto& [key, value] : chosen.items())
    if (value != usual.at(key)) changes[key] = value;
  return changes;
}

}  // namespace

int usual_shared(const Recipe& recipe) {
  if (!recipe.target.empty() && !moe_class_named(recipe.target).shared) return 0;
  return default_shared(recipe.experts);
}

Recipe default_recipe(const ModelConfig& config) {
  Recipe recipe;
  recipe.window = default_window(config.max_positions);
  recipe.experts = default_experts(recipe, config.intermediate_size, config.layers);
  recipe.shared = default_shared(recipe.experts);
  recipe.layers.resize(static_cast<std::size_t>(config.layers));
  std::iota(recipe.layers.begin(), recipe.layers.end(), 0);
  return recipe;
}

QString layers_text(const std::vector<int>& layers, std::int64_t count) {
  if (layers.empty()) return QStringLiteral("none");
  if (static_cast<std::int64_t>(layers.size()) == count) return QStringLiteral("all");
  QStringList parts;
  for (std::size_t i = 0; i < layers.size();) {
    std::size_t end = i + 1;
    while (end < layers.size() && layers[end] == layers[end - 1] + 1) ++end;
    const QString first = QString::number(layers[i]), last = QString::number(layers[end - 1]);
    parts << (end == i + 1 ? first : first + '-' + last);
    i = end;
  }
  return parts.join(',');
}

QStringList conversion_arguments(const QString& command, const Recipe& recipe, const ModelConfig& config,
                                 const QString& run) {
  const Recipe usual = default_recipe(config);
  QStringList arguments{command, text_of(recipe.model), QStringLiteral("-o"), run, QStringLiteral("--text")};
  if (recipe.self_text()) arguments << QStringLiteral("self");
  for (const auto& file : recipe.text) arguments << text_of(file);
  const auto add = [&](const char* option, const auto& value, const auto& usual_value) {
    if (value != usual_value) arguments << QLatin1String(option) << QString::number(value);
  };
  add("--tokens", recipe.tokens, usual.tokens);
  add("--held-out-tokens", recipe.held_out_tokens, usual.held_out_tokens);
  add("--window", recipe.window, usual.window);
  add("--experts", recipe.experts, default_experts(recipe, config.intermediate_size, config.layers));
  add("--shared", recipe.shared, usual_shared(recipe));
  if (recipe.layers != usual.layers)
    arguments << QStringLiteral("--layers") << layers_text(recipe.layers, config.layers);
  if (!recipe.target.empty()) arguments << QStringLiteral("--for") << QString::fromStdString(recipe.target);
  if (recipe.sensitivity != usual.sensitivity)
    arguments << QStringLiteral("--sensitivity") << QString::fromStdString(recipe.sensitivity);
  add("--seed", recipe.seed, usual.seed);
  if (const auto changes = stage1_changes(recipe); !changes.is_null())
    arguments << QStringLiteral("--recipe")
              << QString::fromStdString(nlohmann::json{{"stage1", changes}}.dump());
  return arguments;
}

}  // namespace ladimo::ui
