// Steps of our recipe that `compare --ablate` leaves out, one at a time.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

struct Ablation {
  const char* name;    // of its row: "ladimo without refit"
  const char* recipe;  // the settings that switch it off, as JSON of recipe.json
};

const std::vector<Ablation>& ablations();

/// `base` (settings of a recipe, may be null) with the step switched off.
nlohmann::json without(const nlohmann::json& base, const Ablation& ablation);

}  // namespace ladimo
