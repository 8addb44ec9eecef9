#include "base/json_fields.h"
#include "run/plan.h"

namespace ladimo {
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
  return {*step, fields.text("description"), fields.number("seconds"), fields.flag("done")};
}

}  // namespace

nlohmann::json to_json(const Plan& plan) {
  auto steps = nlohmann::json::array();
  for (const PlanStep& step : plan.steps)
    steps.push_back({{"name", name_of(step.step)},
                     {"description", step.description},
                     {"seconds", step.seconds},
                     {"done", step.done}});
  return {{"resumes", plan.resumes},
          {"steps", std::move(steps)},
          {"tokens", plan.tokens},
          {"windows", plan.windows},
          {"ram_bytes", plan.ram_bytes},
          {"disk_bytes", plan.disk_bytes},
          {"seconds", plan.seconds},
          {"partition", partition_of(plan)},
          {"problems", to_json(plan.problems)},
          {"recipe", to_json(plan.recipe)}};
}

Plan plan_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "plan");
  Plan plan;
  plan.resumes = fields.flag("resumes");
  for (const JsonFields& step : fields.objects("steps")) plan.steps.push_back(step_from_json(step));
  plan.problems = problems_from(fields);
  if (plan.problems.empty()) plan.recipe = recipe_from_json(fields.at("recipe"), {});
  plan.tokens = fields.integer("tokens");
  plan.windows = fields.integer("windows");
  plan.ram_bytes = static_cast<std::uint64_t>(fields.integer("ram_bytes"));
  plan.disk_bytes = static_cast<std::uint64_t>(fields.integer("disk_bytes"));
  plan.seconds = fields.number("seconds");
  return plan;
}

}  // namespace ladimo
