// From what was chosen to the command line that does it.
#pragma once

#include <QString>
#include <QStringList>

#include "checkpoint/config.h"
#include "run/recipe.h"

namespace ladimo::ui {

/// The settings that are used for a model when none are asked for; text and fingerprints stay empty.
Recipe default_recipe(const ModelConfig& config);

/// Arguments of `plan` and `convert`: model, run folder, text, and every setting that is not the model's
/// default. Settings without an option of their own go as JSON with --recipe.
QStringList conversion_arguments(const QString& command, const Recipe& recipe, const ModelConfig& config,
                                 const QString& run);

/// "ladimo convert …" as a person types it into a shell.
QString command_line(const QStringList& arguments);

/// "all", or "0-3,7" as --layers takes it.
QString layers_text(const std::vector<int>& layers, std::int64_t count);

}  // namespace ladimo::ui
