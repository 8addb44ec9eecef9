// Steps of our recipe that `compare --ablate` leaves out, or adds, one at a time.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "policy/frontier.h"
#include "run/recipe.h"

namespace ladimo {

struct Ablation {
  const char* name;    // "without refit"
  std::string recipe;  // settings that switch the step off or on, as JSON of recipe.json; empty: it is
                       // measured on the run of the whole recipe
  Kinds kinds = Kinds::mixed;  // kinds of sparse policies that may be used

  bool has_own_run() const { return !recipe.empty(); }
};

/// The ablations of `whole`, a resolved recipe. "Without fine experts" has a quarter as many experts, and a
/// quarter as many shared ones (at least one where there were any). It is left out where fewer than two
/// experts would be left.
std::vector<Ablation> ablations(const Recipe& whole);

/// Returns `base` (settings of a recipe, may be null) with the step switched off or on. Precondition: the
/// ablation has a run of its own.
nlohmann::json ablated(const nlohmann::json& base, const Ablation& ablation);

}  // namespace ladimo
