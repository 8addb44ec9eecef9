// What one request of `serve` asks for (commands/serve.h has the protocol).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/context.h"
#include "commands/loaded_model.h"

namespace ladimo {

/// Carries out generate, eval, bench or policy and returns its result. Throws Refusal for a request that is
/// unknown, incomplete or says what nobody asks for.
nlohmann::json answer(const LoadedModel& model, const nlohmann::json& request, const Context& context);

}  // namespace ladimo
