// In which dtype the large products of fitting and training are computed.
#pragma once

#include <c10/core/ScalarType.h>

#include "run/recipe.h"

namespace ladimo {

/// Recipe::compute as a torch type. Precondition: it is resolved.
inline at::ScalarType compute_dtype(const Recipe& recipe) {
  return recipe.compute == "bf16" ? at::kBFloat16 : at::kFloat;
}

}  // namespace ladimo
