#include "commands/ablations.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ladimo {

std::vector<Ablation> ablations(const Recipe& whole) {
  std::vector<Ablation> all;
  if (const int experts = whole.experts / 4; experts >= 2) {
    const int shared = whole.shared == 0 ? 0 : std::max(1, whole.shared / 4);
    all.push_back(
        {"without fine experts", fmt::format(R"({{"experts": {}, "shared": {}}})", experts, shared)});
  }
  all.insert(all.end(), {{"without energy order", R"({"stage1": {"energy_order": false}})"},
                         {"without co-activation", R"({"stage1": {"coactivation": false}})"},
                         {"without small routers", R"({"stage1": {"router_ranks": []}})"},
                         {"without compensation", R"({"stage1": {"compensation": false}})"},
                         {"without thresholds", "", Kinds::top_k},
                         {"without refit", R"({"stage1": {"refit": false}})"},
                         {"without distillation", R"({"stage1": {"distil": false}})"},
                         {"without early stopping", R"({"stage1": {"early_stopping": false}})"},
                         {"without elasticity", R"({"stage1": {"elastic": false}})"},
                         {"without re-calibration", R"({"recalibrate": false})"},
                         {"without shifts", R"({"finish": {"shift": false}})"},
                         {"without the finish", R"({"finish": {"use": "off"}})"},
                         {"with a second sweep", R"({"stage1": {"second_sweep": true}})"}});
  return all;
}

nlohmann::json ablated(const nlohmann::json& base, const Ablation& ablation) {
  auto recipe = base.is_null() ? nlohmann::json::object() : base;
  recipe.merge_patch(nlohmann::json::parse(ablation.recipe));
  return recipe;
}

}  // namespace ladimo
