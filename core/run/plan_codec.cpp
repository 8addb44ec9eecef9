#include "base/json_members.h"
#include "run/plan.h"

namespace ladimo {

template <>
struct Members<PlanStep> {
  static constexpr std::tuple all{Member{"description", &PlanStep::description},
                                  Member{"seconds", &PlanStep::seconds}, Member{"done", &PlanStep::done}};
};

template <>
struct Members<Plan> {
  static constexpr std::tuple all{
      Member{"resumes", &Plan::resumes},       Member{"tokens", &Plan::tokens},
      Member{"windows", &Plan::windows},       Member{"ram_bytes", &Plan::ram_bytes},
      Member{"disk_bytes", &Plan::disk_bytes}, Member{"seconds", &Plan::seconds}};
};

namespace {

nlohmann::json partition_of(const Plan& plan) {
  const Recipe& recipe = plan.recipe;
  if (recipe.experts < 1 || recipe.shared < 0 || recipe.shared >= recipe.experts) return {};
  const SliceSizes sizes = slice_sizes(plan.config.intermediate_size, recipe.experts, recipe.shared);
  return {{"experts", recipe.experts},
          {"shared", recipe.shared},
          {"routed", recipe.routed()},
          {"expert_neurons", sizes.expert_neurons},
          {"shared_neurons", sizes.shared_neurons}};
}

PlanStep step_from_json(const JsonFields& fields) {
  const auto step = step_named(fields.text("name"));
  if (!step) fields.refuse("name", "names no step of this program");
  auto planned = members_from_json<PlanStep>(fields);
  planned.step = *step;
  return planned;
}

}  // namespace

nlohmann::json to_json(const Plan& plan) {
  auto json = members_to_json(plan);
  auto steps = nlohmann::json::array();
  for (const PlanStep& step : plan.steps) {
    steps.push_back(members_to_json(step));
    steps.back()["name"] = name_of(step.step);
  }
  json["steps"] = std::move(steps);
  json["partition"] = partition_of(plan);
  json["problems"] = to_json(plan.problems);
  json["constant_layers"] = plan.constant_layers;
  json["warnings"] = to_json(plan.warnings);
  json["recipe"] = to_json(plan.recipe);
  return json;
}

Plan plan_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "plan");
  auto plan = members_from_json<Plan>(fields);
  for (const JsonFields& step : fields.objects("steps")) plan.steps.push_back(step_from_json(step));
  plan.problems = problems_from(fields);
  if (fields.has("constant_layers")) plan.constant_layers = fields.smalls("constant_layers");
  if (fields.has("warnings")) plan.warnings = problems_from(fields, "warnings");
  if (plan.problems.empty()) plan.recipe = recipe_from_json(fields.at("recipe"), {});
  return plan;
}

}  // namespace ladimo
