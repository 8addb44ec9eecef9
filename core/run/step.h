// The steps of the engine's work: their names in JSON, and what a person reads.
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
  writing,
  reading_again,
  // compare
  opponents,
  ours,
  measuring,
};

/// The name in plans, events and timing.json. It never changes.
const char* name_of(Step step);
/// What a person reads: "Routing profile".
const char* title_of(Step step);
/// The step that a name begins with ("task" in "task riddles"). Absent for a name that this version does not
/// know.
std::optional<Step> step_named(std::string_view name);
/// A name with its title in the place of the step: "Task riddles". A name that is not known stays as it is.
std::string step_in_words(std::string_view name);

/// `subject`: what the step is about, where a command has several of the kind ("riddles", ", seed 0"). It
/// follows the name.
StepEvent begin_step(Step step, int index, int count, std::string_view subject = {});

}  // namespace ladimo
