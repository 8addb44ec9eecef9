// Turns a recipe into the command line that carries it out.
#pragma once

#include <QString>
#include <QStringList>

#include "checkpoint/config.h"
#include "run/recipe.h"

namespace ladimo::ui {

/// How many experts are shared unless a person says so: a quarter, or none where the format that the run is
/// made for has none that always runs.
int usual_shared(const Recipe& recipe);

/// The default settings for a model. Text and fingerprints stay empty.
Recipe default_recipe(const ModelConfig& config);

/// Arguments of `plan` or `convert`: model, run folder, text, and every setting that differs from the model's
/// default. Settings without an option are passed as JSON with --recipe.
QStringList conversion_arguments(const QString& command, const Recipe& recipe, const ModelConfig& config,
                                 const QString& run);

/// "all", or "0-3,7" as --layers takes it.
QString layers_text(const std::vector<int>& layers, std::int64_t count);

}  // namespace ladimo::ui
