// Steps of our recipe that `compare --ablate` leaves out, or adds, one at a time.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "policy/frontier.h"
#include "run/recipe.h"

namespace ladimo {

struct Ablation {
  const char* name;    // of its row: "ladimo without refit"
  std::string recipe;  // the settings that switch it off (or on), as JSON of recipe.json; empty: the whole
                       // recipe's run
  Kinds kinds = Kinds::mixed;  // that the policy may use

  bool has_own_run() const { return !recipe.empty(); }
};

/// Of `whole`, a resolved recipe. Without fine experts there are a quarter as many, shared ones likewise (at
/// least one where there were any); where that leaves fewer than two the step cannot be left out.
std::vector<Ablation> ablations(const Recipe& whole);

/// `base` (settings of a recipe, may be null) with the step switched off (or on). Precondition: it has a run
/// of its own.
nlohmann::json ablated(const nlohmann::json& base, const Ablation& ablation);

}  // namespace ladimo
