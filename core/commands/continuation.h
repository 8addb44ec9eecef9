// `ladimo generate`: lets a run under a policy, or a dense model, continue a prompt.
#pragma once

#include <functional>
#include <string>

#include "base/context.h"
#include "commands/loaded_model.h"
#include "decode/generation.h"
#include "run/continuation.h"

namespace ladimo {

/// Throws Refusal unless at least one token is asked for and the temperature is 0 or more.
void require_valid(const Sampling& sampling);

/// Continues `prompt` with `policy` (all dense: the original). Emits a TokenEvent per token, with `converted`
/// as its side. `on_text` sees the prompt and then every piece of text.
Continuation continue_prompt(const LoadedModel& model, const ModelPolicy& policy, bool converted,
                             const std::string& prompt, const Sampling& sampling, const Context& context,
                             const std::function<void(const std::string&)>& on_text = {});

}  // namespace ladimo
