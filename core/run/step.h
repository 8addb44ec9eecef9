// The steps of the engine's work: their names in JSON and the titles that the user reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/events.h"

namespace ladimo {

enum class Step {
  // convert, in this order
  calibration_text,
  layers,
  second_sweep,
  finish,
  routing_profile,
  sensitivity,
  latency,
  frontier,
  // eval, bench
  evaluation,
  task,
  bench,
  // export
  fit,
  writing,
  reading_again,
  // compare
  opponents,
  ours,
  measuring,
};

/// The name of a step in plans, events and timing.json. It never changes.
const char* name_of(Step step);
/// The title of a step that the user reads, such as "Routing profile".
const char* title_of(Step step);
/// The step that a name begins with ("task" in "task riddles"). Absent for a name that this version does not
/// know.
std::optional<Step> step_named(std::string_view name);
/// Replaces the step at the beginning of a name by its title: "Task riddles". An unknown name stays as it is.
std::string step_in_words(std::string_view name);

/// The event that a step begins. `subject` is appended to the step's name and tells steps of one kind apart
/// (" riddles", ", seed 0").
StepEvent begin_step(Step step, int index, int count, std::string_view subject = {});

}  // namespace ladimo
