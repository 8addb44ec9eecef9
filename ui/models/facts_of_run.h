// How a run was made and what it can reach, as lists of facts: for the pages of a run and to compare two
// runs.
#pragma once

#include "policy/frontier.h"
#include "ui/models/fact.h"
#include "ui/models/run_data.h"

namespace ladimo::ui {

/// The original model.
Facts model_facts(const RunData& run);
/// The text that the run was calibrated and checked on, and how much of it.
Facts text_facts(const RunData& run);
/// How the FFNs are split. Empty where no layer is converted.
Facts experts_facts(const RunData& run);
/// How the experts were trained. Empty where no layer is converted.
Facts training_facts(const RunData& run);
/// What is predicted for the best policies at 90 % to 60 % of the parameters. Precondition: `frontier` is the
/// run's, of activated parameters.
Facts reach_facts(const RunData& run, const Frontier& frontier);

/// A path as this system writes it.
QString path_text(const std::filesystem::path& path);

}  // namespace ladimo::ui
