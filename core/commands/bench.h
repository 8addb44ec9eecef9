// `ladimo bench`: how fast a run decodes and reads prompts, beside its dense original in the same process.
#pragma once

#include <filesystem>
#include <optional>

#include "base/context.h"
#include "commands/loaded_model.h"
#include "run/bench_result.h"

namespace ladimo {

/// Dense and converted take turns (evaluate/timing.h) over the same text: the beginning of the file `text`,
/// or one that the model writes first. How many experts run depends on the text. Where weights are held
/// otherwise than as stored, the model is first compared with itself, held as stored, which takes the memory
/// of both.
BenchResult bench(const LoadedModel& model, const ModelPolicy& policy,
                  const std::optional<std::filesystem::path>& text, const Context& context);

}  // namespace ladimo
