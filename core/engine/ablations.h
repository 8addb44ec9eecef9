// Steps of our recipe that `compare --ablate` leaves out, or adds, one at a time.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "policy/frontier.h"

namespace ladimo {

struct Ablation {
  const char* name;    // of its row: "ladimo without refit"
  const char* recipe;  // the settings that switch it off (or on), as JSON of recipe.json; empty: the whole
                       // recipe's run
  Kinds kinds = Kinds::mixed;  // that the policy may use

  bool has_own_run() const { return recipe[0] != '\0'; }
};

const std::vector<Ablation>& ablations();

/// `base` (settings of a recipe, may be null) with the step switched off (or on). Precondition: it has a run
/// of its own.
nlohmann::json ablated(const nlohmann::json& base, const Ablation& ablation);

}  // namespace ladimo
