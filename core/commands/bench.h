// `ladimo bench`: how fast a run decodes and reads prompts, beside its dense original in the same process.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/context.h"
#include "commands/loaded_model.h"

namespace ladimo {

/// Batch 1. Dense and converted take turns (evaluate/timing.h) over the same text, which the model writes
/// first. Returns
///   decode   {dense_tokens_per_s, converted_tokens_per_s, speedup, bytes_per_token, bandwidth_fraction,
///   tokens,
///            noise}
///   prefill  {dense_tokens_per_s, converted_tokens_per_s, speedup, tokens, noise}
///   read_bytes_per_s, dtype, threads, machine, date
/// `tokens` is the length that was timed, `noise` the larger one of both sides. `bytes_per_token` are weights
/// read per decoded token (by the converted side where there is one), `bandwidth_fraction` their rate as a
/// share of `read_bytes_per_s`: reading as many bytes of memory, timed in the same rounds. A side that there
/// is not is null, and so is the speedup then.
nlohmann::json bench(const LoadedModel& model, const ModelPolicy& policy, const Context& context);

}  // namespace ladimo
