// `ladimo bench`: how fast a run decodes and reads prompts, beside its dense original in the same process.
#pragma once

#include "base/context.h"
#include "commands/loaded_model.h"
#include "run/bench_result.h"

namespace ladimo {

/// Dense and converted take turns (evaluate/timing.h) over the same text, which the model writes first. Where
/// weights are held otherwise than as stored, the model is first compared with itself, held as stored, which
/// takes the memory of both.
BenchResult bench(const LoadedModel& model, const ModelPolicy& policy, const Context& context);

}  // namespace ladimo
