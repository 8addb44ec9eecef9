// What the engine says of itself.
#pragma once

#include "run/engine_facts.h"

namespace ladimo {

EngineFacts engine_facts();

}  // namespace ladimo
