// Answers one request of `serve` (commands/serve.h has the protocol).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/context.h"
#include "commands/loaded_model.h"

namespace ladimo {

/// Answers a request to generate, eval, bench or keep a policy. Throws Refusal for a request that is unknown
/// or incomplete, or that has unknown keys.
nlohmann::json answer(const LoadedModel& model, const nlohmann::json& request, const Context& context);

}  // namespace ladimo
