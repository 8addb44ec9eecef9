#include "ui/wizard/plan_facts.h"

#include "base/json_fields.h"

namespace ladimo::ui {

PlanFacts read_plan(const QByteArray& output) {
  const auto json = nlohmann::json::parse(output.begin(), output.end(), nullptr, false);
  if (json.is_discarded())
    throw Refusal("The engine's plan cannot be understood.",
                  "The engine and the studio may be of different versions. Install them together.");
  const JsonFields fields(json, "plan");
  PlanFacts plan;
  plan.resumes = fields.flag("resumes");
  for (const JsonFields& step : fields.objects("steps"))
    plan.steps.push_back(
        {step.text("name"), step.text("description"), step.number("seconds"), step.flag("done")});
  plan.problems = problems_from(fields);
  // Where the settings are refused, the recipe in the plan is only half of one.
  if (plan.problems.empty()) plan.recipe = recipe_from_json(fields.at("recipe"), {});
  plan.tokens = fields.integer("tokens");
  plan.windows = fields.integer("windows");
  plan.ram_bytes = static_cast<std::uint64_t>(fields.integer("ram_bytes"));
  plan.disk_bytes = static_cast<std::uint64_t>(fields.integer("disk_bytes"));
  plan.seconds = fields.number("seconds");
  return plan;
}

}  // namespace ladimo::ui
